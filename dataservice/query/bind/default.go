package bind

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed42aab489/belfry/dataservice"
)

// superTenant is what #{TENANT_ID} is where there are no tenants.
const superTenant = "-1234"

// compileDefault reads a default; #{…} is made at each request. An array's is a list
// with commas. An empty slice is null.
//
// Source: WSO2 CallQuery.evaluateDefaultValue, evaluateGetProperty.
func compileDefault(s string, array bool, now func() time.Time) (func(*dataservice.Principal) []string, error) {
	always := func(list ...string) (func(*dataservice.Principal) []string, error) {
		return func(*dataservice.Principal) []string { return list }, nil
	}
	if !strings.HasPrefix(s, "#{") || !strings.HasSuffix(s, "}") {
		if !array {
			return always(s)
		}
		list, err := splitDefault(s)
		if err != nil {
			return nil, err
		}
		return always(list...)
	}
	switch name := strings.TrimSpace(s[2 : len(s)-1]); name {
	case "NULL":
		return always()
	case "EMPTY":
		return always("")
	case "TENANT_ID":
		return always(superTenant)
	case "UUID":
		return func(*dataservice.Principal) []string { return []string{newUUID()} }, nil
	case "CURRENT_TIMESTAMP":
		return func(*dataservice.Principal) []string {
			return []string{now().UTC().Format("2006-01-02T15:04:05.000Z07:00")}
		}, nil
	case "USERNAME":
		return func(caller *dataservice.Principal) []string {
			if caller == nil {
				return []string{}
			}
			return []string{caller.Name}
		}, nil
	case "USER_ROLES":
		return func(caller *dataservice.Principal) []string {
			if caller == nil {
				return []string{}
			}
			return slices.Clone(caller.Roles)
		}, nil
	default:
		return nil, fmt.Errorf("the default #{%s} is not known: there are #{NULL}, #{EMPTY}, #{UUID}, #{CURRENT_TIMESTAMP}, #{TENANT_ID}, #{USERNAME} and #{USER_ROLES}", name)
	}
}

// splitDefault reads a list: values with commas between them, those in single or
// double quotes may hold commas, and a backslash escapes.
//
// Source: WSO2 CallQuery.getParamValueListFromString.
func splitDefault(s string) ([]string, error) {
	var list []string
	var one strings.Builder
	quote, begun, closed := byte(0), false, false
	end := func() {
		list = append(list, one.String())
		one.Reset()
		quote, begun, closed = 0, false, false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case closed && c != ',':
			return nil, errors.New("the default goes on behind a quote; a quote within a value is written \\' or \\\"")
		case !begun && quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case c == '\\' && i+1 == len(s):
			return nil, errors.New("the default ends in a backslash")
		case c == '\\':
			i++
			one.WriteByte(escaped(s[i]))
			begun = true
		case c == quote && quote != 0:
			closed = true
		case c == ',' && (quote == 0 || closed):
			end()
		default:
			one.WriteByte(c)
			begun = true
		}
	}
	if quote != 0 && !closed {
		return nil, errors.New("the default has a quote that does not end")
	}
	end()
	return list, nil
}

// escaped is what a character behind a backslash stands for.
func escaped(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// newUUID gives a random one (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
