package openapi

// What follows is the part of OpenAPI 3.0.3 that is needed here, in the order in
// which a person reads it.

type document struct {
	OpenAPI    string                `json:"openapi"`
	Info       info                  `json:"info"`
	Servers    []server              `json:"servers"`
	Paths      map[string]pathItem   `json:"paths"`
	Components components            `json:"components"`
	Security   []map[string][]string `json:"security,omitempty"`
}

type info struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Version     string `json:"version"`
}

type server struct {
	URL string `json:"url"`
}

// pathItem has its operations by method, in lower case.
type pathItem map[string]*operation

type operation struct {
	ID          string               `json:"operationId"`
	Summary     string               `json:"summary,omitempty"`
	Parameters  []parameter          `json:"parameters,omitempty"`
	RequestBody *requestBody         `json:"requestBody,omitempty"`
	Responses   map[string]*response `json:"responses"`
}

type parameter struct {
	Name     string  `json:"name"`
	In       string  `json:"in"` // path, query
	Required bool    `json:"required,omitempty"`
	Schema   *schema `json:"schema"`
}

type requestBody struct {
	Required bool                  `json:"required,omitempty"`
	Content  map[string]*mediaType `json:"content"`
}

type mediaType struct {
	Schema *schema `json:"schema"`
}

type response struct {
	Ref         string                `json:"$ref,omitempty"`
	Description string                `json:"description,omitempty"`
	Content     map[string]*mediaType `json:"content,omitempty"`
}

type components struct {
	Schemas   map[string]*schema         `json:"schemas"`
	Responses map[string]*response       `json:"responses"`
	Security  map[string]*securityScheme `json:"securitySchemes,omitempty"`
}

type securityScheme struct {
	Type   string `json:"type"`
	Scheme string `json:"scheme"`
}

type schema struct {
	Ref         string             `json:"$ref,omitempty"`
	Type        string             `json:"type,omitempty"`
	Format      string             `json:"format,omitempty"`
	Description string             `json:"description,omitempty"`
	Nullable    bool               `json:"nullable,omitempty"`
	Default     any                `json:"default,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Minimum     *float64           `json:"minimum,omitempty"`
	Maximum     *float64           `json:"maximum,omitempty"`
	MinLength   *uint64            `json:"minLength,omitempty"`
	MaxLength   *uint64            `json:"maxLength,omitempty"`
	Properties  map[string]*schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	XML         *xmlName           `json:"xml,omitempty"`
}

type xmlName struct {
	Name      string `json:"name,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	Attribute bool   `json:"attribute,omitempty"`
}
