package source

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// errSQLServer says what an address of SQL Server looks like.
var errSQLServer = errors.New("the address of a SQL Server database is not understood: want jdbc:sqlserver://host:port;databaseName=name")

// sqlserverJDBC reads //host[\instance][:port][;name=value…], as Microsoft's JDBC
// driver has it, and //host[:port][/database][;name=value…], as jTDS does. A value may
// stand in braces, in which a closing one is doubled.
func sqlserverJDBC(tail string, c credentials) (*address, error) {
	tail, ok := strings.CutPrefix(tail, "//")
	if !ok {
		return nil, errSQLServer
	}
	place, list, _ := strings.Cut(tail, ";")
	q, err := properties(list)
	if err != nil {
		return nil, err
	}
	place, database, _ := strings.Cut(place, "/")
	host, instance, _ := strings.Cut(place, `\`)
	if instance != "" {
		var port string
		if instance, port, ok = strings.Cut(instance, ":"); ok {
			host += ":" + port
		}
	}
	return sqlserverAddress(host, instance, database, c, q)
}

// sqlserverURL reads the form that the driver has: //user:password@host[:port][/instance]?database=name.
func sqlserverURL(tail string, c credentials) (*address, error) {
	u, err := url.Parse("db:" + tail)
	if err != nil || !strings.HasPrefix(tail, "//") {
		return nil, errSQLServer
	}
	if u.User != nil {
		c.user = u.User.Username()
		c.password, _ = u.User.Password()
	}
	return sqlserverAddress(u.Host, strings.Trim(u.Path, "/"), "", c, u.Query())
}

// properties reads name=value;name={value;}}…};… .
func properties(list string) (url.Values, error) {
	q := url.Values{}
	for list = strings.TrimLeft(list, "; "); list != ""; list = strings.TrimLeft(list, "; ") {
		name, rest, ok := strings.Cut(list, "=")
		if !ok {
			return nil, errSQLServer
		}
		var value string
		if !strings.HasPrefix(rest, "{") {
			value, list, _ = strings.Cut(rest, ";")
		} else if value, list, ok = braced(rest[1:]); !ok {
			return nil, errSQLServer
		}
		q.Set(strings.ToLower(strings.TrimSpace(name)), value)
	}
	return q, nil
}

// braced reads a value to its closing brace.
func braced(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '}':
			b.WriteByte(s[i])
		case i+1 < len(s) && s[i+1] == '}':
			b.WriteByte('}')
			i++
		default:
			return b.String(), s[i+1:], true
		}
	}
	return "", "", false
}

// inBraces writes a secret as the value of a property, whatever is in it.
func inBraces(secret string) string { return "{" + strings.ReplaceAll(secret, "}", "}}") + "}" }

// take gives the first of the properties that is there, and removes them all.
func take(q url.Values, otherwise string, names ...string) string {
	for _, name := range names {
		for key := range q {
			if strings.EqualFold(key, name) {
				if otherwise == "" {
					otherwise = q.Get(key)
				}
				q.Del(key)
			}
		}
	}
	return otherwise
}

// sqlserverAddress makes the driver's address. As in today's JDBC driver the
// connection is encrypted and the server's certificate verified unless the address
// says otherwise; the Go driver itself would trust any.
func sqlserverAddress(host, instance, database string, c credentials, q url.Values) (*address, error) {
	if user := take(q, "", "user", "userName", "user id"); user != "" {
		c.user = user
	}
	if password := take(q, "", "password"); password != "" {
		c.password = password
	}
	host = take(q, host, "serverName", "server")
	instance = take(q, instance, "instanceName", "instance")
	database = take(q, database, "databaseName", "database")
	port := take(q, "", "portNumber", "port")
	switch {
	case host == "":
		host = "localhost"
	case strings.Contains(host, "@"):
		return nil, errSQLServer
	}
	if port != "" {
		host = hostPort(host, port)
	} else if instance == "" {
		host = hostPort(host, "1433")
	}
	a := &address{dialect: SQLServer, display: fmt.Sprintf("sqlserver://%s/%s", host, database)}
	to := a.translate(q, sqlserverParams)
	if database != "" {
		to.Set("database", database)
	}
	if !to.Has("encrypt") {
		to.Set("encrypt", "true")
	}
	if !to.Has("dial timeout") {
		to.Set("dial timeout", strconv.Itoa(connectTimeout))
	}
	to.Set("guid conversion", "true") // so that a UNIQUEIDENTIFIER has its bytes in the order of its text
	u := url.URL{Scheme: "sqlserver", Host: host, Path: instance, RawQuery: to.Encode()}
	if c.user != "" {
		u.User = url.UserPassword(c.user, c.password)
	}
	a.dsn = u.String()
	return a, nil
}

// sqlserverParams are the properties of Microsoft's JDBC driver, of jTDS, and the Go
// driver's own.
var sqlserverParams = map[string]param{
	"encrypt": same("encrypt"), "trustservercertificate": same("trustservercertificate"), "hostnameincertificate": same("hostnameincertificate"),
	"servercertificate": same("servercertificate"), "certificate": same("certificate"), "tlsmin": same("tlsmin"),
	"ssl": func(v string) (string, string) { // jTDS
		return "encrypt", map[string]string{"off": "disable", "request": "false", "require": "true", "authenticate": "true"}[strings.ToLower(v)]
	},
	"logintimeout": seconds("dial timeout"), "dial timeout": seconds("dial timeout"), "connection timeout": seconds("connection timeout"),
	"applicationname": same("app name"), "appname": same("app name"), "app name": same("app name"),
	"workstationid": same("workstation id"), "wsid": same("workstation id"), "workstation id": same("workstation id"),
	"applicationintent": same("applicationintent"), "multisubnetfailover": same("multisubnetfailover"),
	"failoverpartner": same("failoverpartner"), "packetsize": same("packet size"), "packet size": same("packet size"),
	"selectmethod": drop, "responsebuffering": drop, "sendstringparametersasunicode": drop, "sendtimeasdatetime": drop,
	"statementpoolingcachesize": drop, "disablestatementpooling": drop, "preparemethod": drop, "usecursors": drop,
	"enableprepareonfirstpreparedstatementcall": drop, "xopenstates": drop, "lastupdatecount": drop, "sslprotocol": drop,
}

// sqlserverNumber sorts the numbers of SQL Server's errors.
func sqlserverNumber(n int32) Class {
	switch n {
	case 2601, 2627:
		return Duplicate
	case 515, 547:
		return Constraint
	case 1205, 3960:
		return Conflict
	case 1222:
		return Locked
	case 208, 3701, 4902:
		return NoTable
	case 229, 230, 262, 300, 916:
		return Denied
	case 3906, 3908:
		return ReadOnly
	case 220, 232, 241, 242, 244, 245, 248, 295, 2628, 8114, 8115, 8134, 8152, 8169:
		return Data
	case 102, 105, 107, 137, 156, 170, 195, 201, 206, 207, 209, 213, 257, 2812, 4104, 8120, 8144, 8145, 8178:
		return Syntax
	case 4060, 4064, 18452, 18456, 18470, 18486, 18487, 18488, 10928, 10929, 40197, 40501, 40613, 49918, 49919, 49920:
		return Unreachable
	}
	if n >= 50000 { // RAISERROR and THROW
		return Raised
	}
	return Other
}
