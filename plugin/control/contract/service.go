package contract

import (
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// The statuses of a service.
const (
	StatusActive   = "active"
	StatusInactive = "inactive"
	StatusFailed   = "failed"
	// StatusRemote is that of a service of another system: nobody here knows
	// whether it is up.
	StatusRemote = "remote"
)

// ServiceView is a deployed data service, or one that could not be.
type ServiceView struct {
	Name        string          `json:"name"`
	File        string          `json:"file"`
	Status      string          `json:"status"` // active, inactive, failed
	Error       string          `json:"error"`  // of a failed or a newer, refused version
	Node        string          `json:"node"`
	Deployed    *time.Time      `json:"deployed"`
	Description string          `json:"description"`
	Operations  []OperationView `json:"operations"`
	Resources   []ResourceView  `json:"resources"`
	Triggers    []string        `json:"event_triggers"`
	Unsupported []string        `json:"unsupported"`
}

// OperationView is an operation, and whether it can be scheduled.
type OperationView struct {
	Service     string   `json:"service"`
	Name        string   `json:"name"`
	Parameters  []string `json:"parameters"`
	Schedulable bool     `json:"schedulable"`
	Why         string   `json:"why"` // why it is not
	// Delivery is the strongest that the operation's source offers.
	Delivery task.Delivery `json:"delivery"`
	Reads    bool          `json:"reads"` // it returns a result

	// Action calls it, of a service of another system; nil: its host does.
	Action *task.Action `json:"-"`
}

// ResourceView is a resource.
type ResourceView struct {
	Method string `json:"method"`
	Path   string `json:"path"`
}

// Whole replaces null lists.
func (s ServiceView) Whole() ServiceView {
	s.Operations = append([]OperationView{}, s.Operations...)
	for i := range s.Operations {
		o := &s.Operations[i]
		o.Parameters = append([]string{}, o.Parameters...)
	}
	s.Resources = append([]ResourceView{}, s.Resources...)
	s.Triggers = append([]string{}, s.Triggers...)
	s.Unsupported = append([]string{}, s.Unsupported...)
	return s
}
