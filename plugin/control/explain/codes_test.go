package explain

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Every constant that is a reason, wherever it is declared, has its meaning.
func TestEveryReasonHasAMeaning(t *testing.T) {
	t.Parallel()
	meanings := make(map[string]bool)
	for _, m := range Meanings() {
		if meanings[m.Code] || !strings.HasSuffix(m.Text, ".") {
			t.Errorf("%s: %q, or it is there twice", m.Code, m.Text)
		}
		meanings[m.Code] = true
	}
	declared := 0
	for _, path := range []string{"explain.go", filepath.Join("..", "contract", "task.go"), filepath.Join("..", "..", "task", "firing.go")} {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Reason") {
				return true
			}
			if value, ok := spec.Values[0].(*ast.BasicLit); ok {
				code, err := strconv.Unquote(value.Value)
				if declared++; err != nil || !meanings[code] {
					t.Errorf("%s, %s, has no meaning: %v", spec.Names[0].Name, value.Value, err)
				}
			}
			return true
		})
	}
	if declared != len(meanings) {
		t.Errorf("%d reasons are declared, %d have a meaning", declared, len(meanings))
	}
}
