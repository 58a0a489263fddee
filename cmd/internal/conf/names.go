package conf

import (
	"net/mail"
	"regexp"
)

var (
	nodeName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	tableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}(?:\.[A-Za-z_][A-Za-z0-9_]{0,62})?$`)
)

func validAddress(text string) bool {
	_, err := mail.ParseAddress(text)
	return err == nil
}
