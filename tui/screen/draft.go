package screen

import (
	"maps"
	"time"

	"github.com/seed42aab489/belfry/plugin/task"
)

// Draft is what was typed into a form that was left without storing it.
type Draft struct {
	// Task that is edited, and its revision then. The zero value: a new one.
	Task     task.Key `json:"task,omitzero"`
	Revision int64    `json:"revision,omitempty"`
	// At is when it was changed last.
	At time.Time `json:"at"`
	// Fields are all of the form's, by name.
	Fields map[string]string `json:"fields"`
}

// Like tells whether two drafts say the same.
func (d Draft) Like(other Draft) bool {
	return d.Task == other.Task && d.Revision == other.Revision && maps.Equal(d.Fields, other.Fields)
}
