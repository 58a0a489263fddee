package descriptor

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

// Properties of an SQL source and of its queries (WSO2: DBConstants.RDBMS).
var (
	numberProperties = words("maxActive maxIdle minIdle initialSize maxWait timeBetweenEvictionRunsMillis numTestsPerEvictionRun " +
		"minEvictableIdleTimeMillis removeAbandonedTimeout validationInterval abandonWhenPercentageFull maxAge suspectTimeout " +
		"validationQueryTimeout queryTimeout fetchSize maxFieldSize maxRows")
	booleanProperties = words("defaultAutoCommit defaultReadOnly testOnBorrow testOnReturn testWhileIdle removeAbandoned " +
		"logAbandoned jmxEnabled fairQueue useEquals alternateUsernameAllowed forceStoredProc forceJDBCBatchRequests autoCommit " +
		"isResultSetFieldsCaseSensitive")
	textProperties = words("defaultTransactionIsolation defaultCatalog driverClassName url username password validationQuery " +
		"validatorClassName connectionProperties initSQL jdbcInterceptors dataSourceClassName dataSourceProps fetchDirection " +
		"dynamicUserAuthClass dynamicUserAuthMapping")
)

// systemVariable is a value that stands in the environment.
var systemVariable = regexp.MustCompile(`^\$SYSTEM:([A-Za-z0-9_]+)$`)

const legacyPrefix = "org.wso2.ws.dataservice."

// legacyProperties maps the names of version 2, without their prefix, to those
// of version 3 (WSO2: DBConstants.RDBMSv2ToV3Map).
var legacyProperties = map[string]string{
	"driver": "driverClassName", "protocol": "url", "user": "username", "password": "password",
	"query_timeout": "queryTimeout", "autocommit": "autoCommit", "fetch_direction": "fetchDirection",
	"fetch_size": "fetchSize", "max_field_size": "maxFieldSize", "max_rows": "maxRows",
	"force_stored_proc": "forceStoredProc", "force_jdbc_batch_requests": "forceJDBCBatchRequests",
	"transaction_isolation": "defaultTransactionIsolation", "initial_size": "initialSize",
	"maxpoolsize": "maxActive", "max_idle": "maxIdle", "minpoolsize": "minIdle", "max_wait": "maxWait",
	"validation_query": "validationQuery", "test_on_borrow": "testOnBorrow", "test_on_return": "testOnReturn",
	"test_while_idle":                   "testWhileIdle",
	"time_between_eviction_runs_mills":  "timeBetweenEvictionRunsMillis",
	"num_test_per_eviction_run":         "numTestsPerEvictionRun",
	"min_evictable_idle_time_millis":    "minEvictableIdleTimeMillis",
	"remove_abandoned":                  "removeAbandoned",
	"remove_abandoned_timeout":          "removeAbandonedTimeout",
	"log_abandoned":                     "logAbandoned",
	"xa_datasource_class":               "dataSourceClassName",
	"xa_datasource_properties":          "dataSourceProps",
	"dynamic_user_authentication_class": "dynamicUserAuthClass",
}

// kinds lists the properties that tell a source's kind, in the order in which
// the original asks for them (WSO2: ConfigFactory.getConfigType).
var kinds = []struct {
	property string
	kind     dataservice.SourceKind
}{
	{"driverClassName", dataservice.SourceSQL},
	{"dataSourceClassName", dataservice.SourceSQL},
	{"excel_datasource", dataservice.SourceExcel},
	{"rdf_datasource", dataservice.SourceRDF},
	{"sparql_datasource", dataservice.SourceSPARQL},
	{"csv_datasource", dataservice.SourceCSV},
	{"jndi_resource_name", dataservice.SourceJNDI},
	{"mongoDB_servers", dataservice.SourceMongoDB},
	{"gspread_datasource", dataservice.SourceGSpread},
	{"carbon_datasource_name", dataservice.SourceCarbon},
	{"web_harvest_config", dataservice.SourceWeb},
	{"custom_tabular_datasource_class", dataservice.SourceCustom},
	{"custom_query_datasource_class", dataservice.SourceCustom},
	{"cassandraServers", dataservice.SourceCassandra},
	// Beyond the original: a URL says enough.
	{"url", dataservice.SourceSQL},
}

func (r *reader) source(n *node) {
	c := &dataservice.Source{Position: n.pos, ID: firstOf(strings.TrimSpace(n.get("id")), "default"), OData: r.boolean(n, "enableOData")}
	if r.twice(n, "data source", "id", c.ID) {
		return
	}
	c.Properties = r.properties(n)
	for _, k := range kinds {
		if c.Properties[k.property] != "" {
			c.Kind = k.kind
			break
		}
	}
	switch {
	case r.mapped != nil && r.mapped(r.service.Name, c.ID, firstOf(c.Properties["url"], c.Properties["carbon_datasource_name"], c.Properties["jndi_resource_name"])):
		c.Kind, c.Mapped = dataservice.SourceSQL, true
	case c.Kind == "":
		r.addf(n.pos, "data source %q says neither driverClassName nor any other property that tells its kind", c.ID)
	case c.Kind == dataservice.SourceSQL && c.Properties["url"] == "":
		r.addf(n.pos, "data source %q has no url", c.ID)
	}
	if c.Kind == dataservice.SourceSQL {
		r.checkProperties(n)
	}
	r.service.Sources = append(r.service.Sources, c)
}

// properties reads the <property> children under today's names; those without a
// value are left out, as the original does. Nested ones, of an XA source or a
// custom one, stand under "outer.inner", and those that every source has also
// under their usual name.
func (r *reader) properties(n *node) map[string]string {
	out := map[string]string{}
	for _, p := range n.all("property") {
		name := propertyName(p)
		if name == "" {
			r.addf(p.pos, "<property> needs a name")
			continue
		}
		for _, inner := range p.all("property") {
			key, value := strings.TrimSpace(inner.get("name")), strings.TrimSpace(inner.text)
			if key == "" || value == "" {
				continue
			}
			out[name+"."+key] = value
			if usual := usualName(key); name == "dataSourceProps" && usual != "" && out[usual] == "" {
				out[usual] = value
			}
		}
		if v := strings.TrimSpace(p.text); v != "" && len(p.children) == 0 {
			// Today's product reads variables of the environment so (Micro Integrator,
			// "Injecting Data service parameters").
			if variable := systemVariable.FindStringSubmatch(v); variable != nil {
				v = "$env{BELFRY_SOURCE_" + variable[1] + "}"
			}
			out[name] = v
		}
		// The secure vault's aliases are names of secrets of the host.
		if a := p.attrNS(vaultNamespace, "secretAlias"); a != nil {
			out[name] = "$file{" + a.value + "}"
		}
	}
	return out
}

func propertyName(p *node) string {
	name := strings.TrimSpace(p.get("name"))
	if rest, ok := strings.CutPrefix(name, legacyPrefix); ok {
		return firstOf(legacyProperties[rest], name)
	}
	return name
}

// usualName maps a property of an XA data source class.
func usualName(xa string) string {
	switch strings.ToLower(xa) {
	case "url":
		return "url"
	case "user", "username":
		return "username"
	case "password":
		return "password"
	}
	return ""
}

// checkProperties reports values that are not what the property holds.
func (r *reader) checkProperties(n *node) {
	for _, p := range n.all("property") {
		name, value := propertyName(p), strings.TrimSpace(p.text)
		if value == "" {
			continue
		}
		switch {
		case slices.Contains(numberProperties, name):
			if _, err := strconv.ParseInt(value, 10, 64); err != nil {
				r.addf(p.textStart(r.doc), "property %s is %q; it must be a whole number", name, value)
			}
		case slices.Contains(booleanProperties, name):
			if _, err := strconv.ParseBool(strings.ToLower(value)); err != nil {
				r.addf(p.textStart(r.doc), "property %s is %q; it must be true or false", name, value)
			}
		}
	}
}
