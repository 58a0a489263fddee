package descriptor_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice"
	"github.com/seed42aab489/belfry/dataservice/descriptor"
)

func TestRoles(t *testing.T) {
	t.Parallel()
	s := parse(t, `<data name="S" xmlns:b="`+dataservice.BelfryNamespace+`" b:requiredRoles="staff, admin"><config id="default"><property name="url">sqlite:x</property></config>
		<query id="q" b:requiredRoles="reader"><sql>select 1</sql></query>
		<operation name="a" b:requiredRoles="one"><call-query href="q"/></operation>
		<operation name="b"><call-query href="q" requiredRoles="two,three"/></operation>
		<resource method="GET" path="c" b:requiredRoles="four"><call-query href="q"/></resource>
		<resource method="GET" path="d"><call-query href="q"/></resource></data>`)
	reader := []string{"reader"}
	for i, c := range []struct {
		got  dataservice.Access
		want [][]string
	}{
		{s.Access(), [][]string{{"staff", "admin"}}},
		{s.AccessTo(&s.Operations[0].Call), [][]string{{"one"}, reader}},
		{s.AccessTo(&s.Operations[1].Call), [][]string{{"two", "three"}, reader}},
		{s.AccessTo(&s.Resources[0].Call), [][]string{{"four"}, reader}},
		{s.AccessTo(&s.Resources[1].Call), [][]string{nil, reader}},
	} {
		if !reflect.DeepEqual(c.got.Roles, c.want) {
			t.Errorf("%d: %q, want %q", i, c.got.Roles, c.want)
		}
	}
	_, err := descriptor.Parse("x.dbs", []byte(inData(`<query id="q"><sql>select 1</sql></query>
		<operation xmlns:b="`+dataservice.BelfryNamespace+`" name="a" b:requiredRoles="one"><call-query href="q" requiredRoles="two"/></operation>`)))
	if err == nil || !strings.Contains(err.Error(), "say it once") {
		t.Errorf("%v", err)
	}
}
