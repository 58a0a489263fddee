package archtest

const module = "github.com/seed42aab489/belfry/"

// row says what a package may import beside the standard library: packages of
// this module by path below it ("plugin/..." means any below and itself), and
// third-party modules by prefix.
type row struct {
	own   []string
	third []string
}

// charm is bubbletea and its family.
var charm = []string{"charm.land/bubbletea/v2", "charm.land/lipgloss/v2", "github.com/charmbracelet/x/ansi"}

// table is the import table. Keys are packages below the module's path; a key
// that ends in "/..." stands for itself and everything below, unless a longer
// key fits. Test files may import what they need.
var table = map[string]row{
	"coordclient":              {},
	"coordclient/internal/...": {own: []string{"coordclient"}},
	"coordclient/local":        {own: []string{"coordclient", "coordclient/internal/..."}, third: []string{"modernc.org/sqlite", "golang.org/x/sys"}},
	"coordclient/socket":       {own: []string{"coordclient"}},
	"coordclient/coordtest":    {own: []string{"coordclient", "coordclient/internal/..."}},
	"coordclient/zk":           {own: []string{"coordclient", "coordclient/internal/..."}, third: []string{"github.com/go-zookeeper/zk", "github.com/google/uuid"}},
	"coordclient/zk/zktest":    {own: []string{"coordclient", "coordclient/zk"}, third: []string{"github.com/go-zookeeper/zk"}},

	"dataservice":                   {},
	"dataservice/descriptor":        {own: []string{"dataservice", "dataservice/strictxml"}},
	"dataservice/source":            {own: []string{"dataservice", "dataservice/source/sheet"}},
	"dataservice/source/sheet":      {third: []string{"github.com/xuri/excelize/v2", "github.com/richardlehane/mscfb"}},
	"dataservice/source/sourcetest": {own: []string{"dataservice/source"}},
	"dataservice/result":            {own: []string{"dataservice"}},
	"dataservice/query":             {own: []string{"dataservice", "dataservice/query/bind", "dataservice/query/failure", "dataservice/query/inbox", "dataservice/query/proc", "dataservice/query/rowset", "dataservice/query/shape", "dataservice/source", "dataservice/result"}},
	"dataservice/query/failure":     {own: []string{"dataservice", "dataservice/source", "dataservice/result"}},
	"dataservice/query/shape":       {own: []string{"dataservice", "dataservice/result"}},
	"dataservice/query/proc":        {own: []string{"dataservice/source"}},
	"dataservice/query/rowset":      {own: []string{"dataservice/source", "dataservice/result"}},
	"dataservice/query/bind":        {own: []string{"dataservice", "dataservice/source"}},
	"dataservice/query/inbox":       {own: []string{"dataservice", "dataservice/source", "dataservice/result"}},
	"dataservice/boxcar":            {own: []string{"dataservice"}},
	"dataservice/exchange":          {own: []string{"dataservice", "dataservice/boxcar", "dataservice/result", "dataservice/strictxml"}},
	"dataservice/strictxml":         {},
	"dataservice/rest":              {own: []string{"dataservice", "dataservice/exchange", "dataservice/result", "dataservice/strictxml"}},
	"dataservice/soap":              {own: []string{"dataservice", "dataservice/exchange", "dataservice/result", "dataservice/strictxml"}},
	"dataservice/wsdl":              {own: []string{"dataservice"}},
	"dataservice/openapi":           {own: []string{"dataservice"}},
	"dataservice/page":              {own: []string{"dataservice"}},
	"dataservice/host":              {own: []string{"dataservice/..."}, third: []string{"github.com/fsnotify/fsnotify", "github.com/google/uuid"}},
	"dataservice/host/auth":         {own: []string{"dataservice", "dataservice/exchange"}, third: []string{"github.com/golang-jwt/jwt/v5", "golang.org/x/crypto"}},

	"plugin/engine/firecheck": {own: []string{"coordclient", "plugin/task", "plugin/bucket"}},

	"plugin/task":         {},
	"plugin/trigger":      {own: []string{"plugin/task"}},
	"plugin/bucket":       {own: []string{"plugin/task", "plugin/trigger", "plugin/calendar"}},
	"plugin/calendar":     {own: []string{"plugin/task", "plugin/trigger"}, third: []string{"github.com/emersion/go-ical", "github.com/teambition/rrule-go"}},
	"plugin/engine/model": {},
	"plugin/engine":       {own: []string{"plugin/task", "plugin/trigger", "plugin/bucket", "plugin/calendar"}, third: []string{"github.com/google/uuid"}},
	"plugin/store":        {own: []string{"plugin/task", "plugin/bucket", "plugin/calendar", "plugin/parallel", "coordclient"}, third: []string{"github.com/google/uuid"}},
	"plugin/control": {
		own:   []string{"plugin/control/...", "plugin/task", "plugin/trigger", "plugin/bucket", "plugin/calendar", "plugin/parallel", "plugin/reply", "plugin/store", "plugin/place", "plugin/invoke/web", "plugin/render", "coordclient"},
		third: []string{"github.com/google/uuid"},
	},
	"plugin/control/backup":     {own: []string{"plugin/control/failure", "plugin/calendar", "plugin/store", "plugin/task"}},
	"plugin/control/call":       {own: []string{"plugin/control/check", "plugin/control/failure", "plugin/invoke/web", "plugin/task", "coordclient"}},
	"plugin/control/check":      {own: []string{"plugin/control/contract", "plugin/control/failure", "plugin/calendar", "plugin/invoke/web", "plugin/place", "plugin/store", "plugin/task"}},
	"plugin/control/contract":   {own: []string{"plugin/calendar", "plugin/task", "coordclient"}},
	"plugin/control/definition": {own: []string{"plugin/control/failure", "plugin/task"}, third: []string{"go.yaml.in/yaml/v3"}},
	"plugin/control/follow": {own: []string{
		"plugin/control/contract", "plugin/control/failure", "plugin/control/group", "plugin/control/preview", "plugin/control/standing", "plugin/control/timeline",
		"plugin/bucket", "plugin/calendar", "plugin/parallel", "plugin/store", "plugin/task", "plugin/trigger", "coordclient",
	}},
	"plugin/control/group":    {own: []string{"plugin/control/contract", "plugin/control/failure", "plugin/parallel", "plugin/place", "plugin/store", "coordclient"}},
	"plugin/control/preview":  {own: []string{"plugin/control/check", "plugin/control/contract", "plugin/control/failure", "plugin/calendar", "plugin/store", "plugin/task", "plugin/trigger"}},
	"plugin/control/timeline": {own: []string{"plugin/control/contract", "plugin/control/standing", "plugin/calendar", "plugin/task", "plugin/trigger"}},
	"plugin/control/standing": {own: []string{"plugin/control/contract", "plugin/bucket", "plugin/calendar", "plugin/store", "plugin/task", "coordclient"}},
	"plugin/control/explain":  {own: []string{"plugin/control/check", "plugin/control/contract", "plugin/control/group", "plugin/control/standing", "plugin/task"}},
	"plugin/control/failure":  {own: []string{"plugin/calendar", "plugin/store", "coordclient"}},

	"plugin/place": {own: []string{"plugin/task", "plugin/trigger"}},
	"plugin/cluster": {
		own: []string{"plugin/task", "plugin/bucket", "plugin/parallel", "plugin/place", "plugin/store", "coordclient"},
	},
	"plugin/reply":      {own: []string{"plugin/task"}},
	"plugin/invoke":     {own: []string{"plugin/task"}},
	"plugin/invoke/web": {own: []string{"plugin/task", "plugin/event/cond", "plugin/render"}, third: []string{"github.com/hooklift/gowsdl/soap"}},
	"plugin/render":     {},
	"plugin/parallel":   {},
	"plugin/event":      {own: []string{"plugin/task", "plugin/event/cond", "plugin/render"}},
	"plugin/event/cond": {third: []string{"cel.dev/cel-go"}},
	"plugin/event/send": {own: []string{"plugin/event", "plugin/task"}, third: []string{"github.com/wneessen/go-mail"}},
	"plugin/chain":      {own: []string{"plugin/task", "plugin/event", "plugin/render"}},
	"plugin/adminapi":   {own: []string{"plugin/calendar", "plugin/control/...", "plugin/task"}, third: []string{"github.com/google/jsonschema-go"}},
	"plugin/intake":     {own: []string{"plugin/control/..."}, third: []string{"github.com/twmb/franz-go"}},
	"plugin":            {own: []string{"plugin/...", "coordclient"}},

	"plugin/fault":       {own: []string{"plugin/engine", "plugin/bucket", "plugin/task"}},
	"plugin/invoke/code": {own: []string{"plugin/task"}},
	"plugin/invoke/wsdl": {own: []string{"plugin/task", "plugin/invoke/web"}, third: []string{"github.com/hooklift/gowsdl"}},
	"plugin/timer":       {own: []string{"plugin/task", "plugin/trigger", "plugin/invoke/web"}, third: []string{"go.yaml.in/yaml/v3"}},

	"cmd/internal/egress": {},
	"tui/intent":          {},
	"tui/theme":           {third: charm},
	"tui/widget":          {own: []string{"tui/intent", "tui/theme"}, third: charm},
	"tui/order":           {own: []string{"plugin/control/...", "plugin/task"}},
	"tui/...":             {own: []string{"tui/...", "plugin/control/...", "plugin/task"}, third: charm},

	"cmd/internal/conf":     {own: []string{"cmd/internal/egress"}, third: []string{"github.com/spf13/viper", "github.com/spf13/pflag", "go.yaml.in/yaml/v3", "gopkg.in/yaml.v3"}},
	"cmd/internal/archtest": {},
	"cmd/internal/cli/...": {
		own: []string{
			"cmd/internal/cli/...", "cmd/internal/conf", "plugin/invoke/wsdl", "plugin/control/...", "plugin/task", "plugin/trigger", "plugin/calendar",
			"plugin/event/cond", "dataservice", "dataservice/descriptor", "coordclient", "coordclient/socket", "coordclient/zk", "tui", "tui/ask", "tui/order", "tui/theme",
		},
		third: []string{
			"github.com/spf13/cobra", "github.com/spf13/pflag", "github.com/olekukonko/tablewriter", "github.com/charmbracelet/x/ansi", "golang.org/x/term",
			"github.com/itchyny/gojq", "k8s.io/client-go/util/jsonpath",
			"go.yaml.in/yaml/v3", "gopkg.in/yaml.v3",
		},
	},
	"cmd/internal/app": {
		own: []string{"cmd/internal/conf", "cmd/internal/egress", "coordclient/...", "dataservice/...", "plugin/..."},
		third: []string{
			"modernc.org/sqlite", "github.com/jackc/pgx/v5", "github.com/go-sql-driver/mysql", "github.com/microsoft/go-mssqldb",
			"github.com/twmb/franz-go",
			"github.com/prometheus/client_golang", "github.com/coreos/go-systemd/v22", "github.com/google/uuid",
		},
	},
	"cmd/internal/coordserver": {},
	"cmd/belfryd":              {own: []string{"cmd/embed"}},
	"cmd/embed":                {own: []string{"cmd/internal/app", "cmd/internal/conf", "cmd/internal/coordserver", "dataservice/host/auth", "plugin/invoke/code"}, third: []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/term"}},
	"cmd/belfry":               {own: []string{"cmd/internal/cli"}},
	"cmd/e2e":                  {own: []string{}},
	"cmd/e2e/idle":             {own: []string{"cmd/embed", "plugin/invoke/code"}},

	"docs/examples/agent": {},
	"docs/examples/code":  {own: []string{"cmd/embed", "plugin/invoke/code"}},
}
