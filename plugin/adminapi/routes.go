package adminapi

import (
	"net/http"

	"github.com/seed42aab489/belfry/plugin/control"
	"github.com/seed42aab489/belfry/plugin/control/contract"
)

// route is one thing that can be asked for. The OpenAPI document is made of the
// same table.
type route struct {
	method, path string
	scope        Scope
	id           string // operationId
	summary      string
	query        []parameter
	headers      []parameter
	body         any // a value of the type that the body has; nil: no body
	bulk         bool
	status       int // of success
	result       any // a value of the type that is answered; nil: no content
	serve        func(http.ResponseWriter, *http.Request, Caller) error
}

// parameter is a query parameter or a header.
type parameter struct{ name, about string }

var (
	whose = []parameter{
		{"tenant", "of the task; absent: default"},
		{"type", "of the task; absent: DATA_SERVICE_TASK"},
	}
	onceKey  = parameter{"Idempotency-Key", "makes the request safe to be sent again; at most 128 bytes, chosen by the caller"}
	matching = parameter{"If-Match", "the ETag (revision) that the task must be at"}
)

func (a *API) routes() []route {
	const one = "/tasks/{name}"
	return append(a.calendarRoutes(), []route{
		{
			method: "GET", path: "/tasks", scope: ScopeRead, id: "listTasks", summary: "List tasks by name",
			query: []parameter{
				{"tenant", "only of this tenant"},
				{"type", "only of this type"},
				{"service", "only those that call this service"},
				{"node", "only those that this host owns"},
				{"state", "only those in this state"},
				{"prefix", "only those whose name begins so"},
				{"limit", "at most so many, 1 to 1000; absent: 100"},
				{"after", "what next of the page before said"},
			},
			status: http.StatusOK, result: TaskPage{}, serve: a.listTasks,
		},
		{
			method: "POST", path: "/tasks", scope: ScopeWrite, id: "createTask", summary: "Create a task",
			headers: []parameter{onceKey}, body: Definition{}, status: http.StatusCreated, result: control.Done{}, serve: a.createTask,
		},
		{
			method: "GET", path: one, scope: ScopeRead, id: "getTask", summary: "Read a task: its definition, and how it stands",
			query: whose, status: http.StatusOK, result: Task{}, serve: a.getTask,
		},
		{
			method: "PUT", path: one, scope: ScopeWrite, id: "putTask", summary: "Create a task, or give it a new definition",
			query: whose, headers: []parameter{matching, {"If-None-Match", "*: create it, and change none"}},
			body: Definition{}, status: http.StatusOK, result: control.Done{}, serve: a.putTask,
		},
		{
			method: "PATCH", path: one, scope: ScopeWrite, id: "patchTask", summary: "Change parts of a definition (JSON merge patch, RFC 7396)",
			query: whose, headers: []parameter{matching}, body: Patch{}, status: http.StatusOK, result: control.Done{}, serve: a.patchTask,
		},
		{
			method: "DELETE", path: one, scope: ScopeWrite, id: "deleteTask", summary: "Delete a task; one that is gone already is no error",
			query: whose, headers: []parameter{matching}, status: http.StatusOK, result: control.Done{}, serve: a.deleteTask,
		},
		{
			method: "POST", path: one + "/pause", scope: ScopeWrite, id: "pauseTask", summary: "Let a task fire no more until it is resumed, or until a time",
			query:  append(whose, parameter{"reason", "why, for others to see"}, parameter{"until", "when the pause ends by itself (RFC 3339)"}),
			status: http.StatusOK, result: control.Done{}, serve: a.verb(control.VerbPause),
		},
		{
			method: "POST", path: one + "/resume", scope: ScopeWrite, id: "resumeTask", summary: "Let a paused task fire again",
			query: whose, status: http.StatusOK, result: control.Done{}, serve: a.verb(control.VerbResume),
		},
		{
			method: "POST", path: one + "/run", scope: ScopeRun, id: "runTask", summary: "Fire a task once now, beside its schedule",
			query: append(whose, parameter{"reason", "why, for others to see"}), headers: []parameter{onceKey},
			status: http.StatusAccepted, result: control.Done{}, serve: a.verb(control.VerbRun),
		},
		{
			method: "GET", path: one + "/next", scope: ScopeRead, id: "nextInstants", summary: "The next instants of a task",
			query:  append(whose, parameter{"n", "how many, 1 to 1000; absent: 10"}),
			status: http.StatusOK, result: []contract.NextView{}, serve: a.nextInstants,
		},
		{
			method: "POST", path: "/orders", scope: ScopeWrite, id: "carryOrders", summary: "Carry out many orders; runs among them need the scope tasks:run too",
			body: Orders{}, bulk: true, status: http.StatusOK, result: Results{}, serve: a.carryOrders,
		},
		{
			method: "GET", path: "/runs", scope: ScopeRead, id: "listRuns", summary: "List runs that are kept, the newest first",
			query: []parameter{
				{"task", "only of tasks of this name"},
				{"outcome", "only those that ended so: RUNNING, OK, FAILED, TIMED_OUT, INTERRUPTED, UNKNOWN, SKIPPED, CANCELLED"},
				{"since", "only those scheduled from this time on (RFC 3339)"},
				{"limit", "at most so many, 1 to 1000; absent: 100"},
			},
			status: http.StatusOK, result: []contract.RunView{}, serve: a.listRuns,
		},
		{
			method: "GET", path: "/runs/{id}", scope: ScopeRead, id: "getRun", summary: "Every attempt at a firing that is kept",
			status: http.StatusOK, result: []contract.RunView{}, serve: a.getRun,
		},
		{
			method: "POST", path: "/runs/{id}/cancel", scope: ScopeRun, id: "cancelRun", summary: "Ask for a run to be cancelled",
			status: http.StatusAccepted, serve: a.cancelRun,
		},
		{
			method: "GET", path: "/services", scope: ScopeRead, id: "listServices", summary: "The deployed data services, and what can be scheduled of them",
			status: http.StatusOK, result: []contract.ServiceView{}, serve: a.listServices,
		},
		{
			method: "GET", path: "/status", scope: ScopeRead, id: "getStatus", summary: "The whole in one answer",
			status: http.StatusOK, result: contract.StatusView{}, serve: a.getStatus,
		},
	}...)
}
