package failure

import "testing"

func TestEveryCodeHasAMeaning(t *testing.T) {
	t.Parallel()
	all := Meanings()
	for _, m := range all {
		if m.Text == "" || m.Next == "" || m.Exit == 0 || m.Status < 400 {
			t.Errorf("%+v", m)
		}
	}
	if len(all) != len(codes) {
		t.Errorf("%d of %d", len(all), len(codes))
	}
}
