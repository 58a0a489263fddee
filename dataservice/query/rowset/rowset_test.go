package rowset_test

import (
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice/query/rowset"
)

func TestSplitArray(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"{}": "", "{a,b}": "a|b", `{"a,b","c\"d",NULL,"NULL"}`: `a,b|c"d|<null>|NULL`, "plain": "plain", "{}x": "{}x",
	} {
		var got []string
		for _, v := range rowset.SplitArray(in) {
			if !v.Valid {
				v.Text = "<null>"
			}
			got = append(got, v.Text)
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}
