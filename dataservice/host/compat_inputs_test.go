//go:build integration

package host

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seed42aab489/belfry/dataservice"
)

// sampleValues are what the samples' database has, by the name of a parameter.
var sampleValues = map[string]string{
	"employeenumber": "1002", "customernumber": "103", "productcode": "S10_1678", "officecode": "1", "code": "1",
	"filename": "bell.txt", "filetype": "text/plain", "data": "QmVsZnJ5", "image": "QmVsZnJ5", "speciality": "surgery",
	"accountid": "1", "oldbalance": "1000", "lastname": "King", "firstname": "Jean", "email": "ringer@belfry.dev",
	"categoryname": "Bells", "customeremail": "ann@belfry.dev", "ordernumber": "1", "status": "Shipped",
	"quantityinstock": "8", "value": "25", "salary": "2000", "increment": "10", "productline": "Motorcycles",
}

// keys are the parameters that an insert must not give twice.
var keys = []string{"employeenumber", "productcode", "officecode", "filename", "categoryname", "customeremail", "personid", "id", "checknumber"}

// victims are what a delete takes, so that what others ask for stays.
var victims = map[string]string{
	"employeenumber": "1702", "productcode": "S72_3212", "officecode": "7", "code": "7", "filename": "old.txt",
	"categoryname": "Gongs", "customeremail": "bob@belfry.dev",
}

// inputs makes valid values for a call. The number is another for each call.
func inputs(s *dataservice.Service, c *dataservice.CallQuery, number int) dataservice.Values {
	v := dataservice.Values{}
	q := s.Query(c.Query)
	if q == nil {
		return v
	}
	verb := ""
	for _, sql := range q.SQL {
		verb, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(sql)), " ")
		if strings.Contains(sql, "into FileRecords") {
			verb = "append" // to a file that is there
		}
	}
	for _, w := range c.Params {
		p := q.Param(w.Name)
		if w.QueryParam == "" || p == nil {
			continue
		}
		v[w.QueryParam] = []string{input(p, verb, number)}
		if p.Array {
			v[w.QueryParam] = []string{"1002", "1056"}
		}
	}
	return v
}

func input(p *dataservice.Param, verb string, number int) string {
	name := strings.ToLower(p.Name)
	if victim, ok := victims[name]; ok && verb == "delete" && fits(p, victim) {
		return victim
	}
	if verb == "insert" {
		for _, key := range keys {
			switch {
			case key != name:
			case p.SQLType == "INTEGER":
				return fmt.Sprint(9000 + number)
			case name == "officecode":
				return fmt.Sprint(number)
			default:
				return fmt.Sprintf("new-%d", number)
			}
		}
	}
	if v, ok := sampleValues[name]; ok && fits(p, v) {
		return v
	}
	switch p.SQLType {
	case "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "NUMERIC", "REAL", "DOUBLE", "FLOAT", "DECIMAL":
		return "7"
	case "DATE":
		return "2024-05-06"
	case "TIME":
		return "07:08:09"
	case "TIMESTAMP":
		return "2024-05-06T07:08:09"
	case "BINARY", "BLOB", "VARBINARY":
		return "QmVsZnJ5"
	case "BIT", "BOOLEAN":
		return "true"
	}
	return "ring"
}

// fits tells whether a value can be one of the parameter's type.
func fits(p *dataservice.Param, value string) bool {
	if p.SQLType != "INTEGER" {
		return true
	}
	_, err := strconv.Atoi(value)
	return err == nil
}
