//go:build e2e

package e2e

import (
	"net"
	"strings"
	"testing"

	"github.com/seed42aab489/belfry/dataservice/source/sourcetest"
)

const productQuantity = `<data name="ProductQuantity" xmlns:b="https://github.com/seed42aab489/belfry/ns/dbs">
  <config id="default">
    <property name="driverClassName">org.h2.Driver</property>
    <property name="url">jdbc:h2:products</property>
  </config>
  <query id="getProductQuantityQuery" useConfig="default" output-event-trigger="low">
    <sql>SELECT productCode, quantityInStock FROM Products</sql>
    <result element="Products" rowName="Product">
      <element column="productCode" name="productCode" xsdType="string"/>
      <element column="quantityInStock" name="quantityInStock" xsdType="integer"/>
    </result>
  </query>
  <event-trigger id="low" language="XPath" b:mode="edge">
    <expression>//quantityInStock &lt; 10</expression>
    <target-topic>low</target-topic>
    <subscriptions><subscription>mailto:ops@example.org</subscription></subscriptions>
  </event-trigger>
  <operation name="getProductQuantity"><call-query href="getProductQuantityQuery"/></operation>
</data>
`

// "Call getProductQuantity every so often, mail us when it drops below 10": each
// drop sends one mail, whoever is killed as it drops.
func TestProductQuantity(t *testing.T) {
	t.Parallel()
	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		testProductQuantity(t, func(args ...string) hosts {
			return hosts{newHost(t, map[string]string{"ProductQuantity.dbs": productQuantity}, args...)}
		})
	})
	t.Run("three hosts", func(t *testing.T) {
		t.Parallel()
		file := coordination(t, startZooKeeper(t, 1))
		testProductQuantity(t, func(args ...string) (hs hosts) {
			for _, name := range []string{"n1", "n2", "n3"} {
				hs = append(hs, newHost(t, map[string]string{"ProductQuantity.dbs": productQuantity},
					append([]string{"--node", name, "--coordination", file, "-Dtask.server.count=3"}, args...)...))
			}
			return hs
		})
	})
}

func testProductQuantity(t *testing.T, prepare func(args ...string) hosts) {
	t.Helper()
	const drops = 3
	office := newPostOffice(t)
	smtpHost, port, err := net.SplitHostPort(office.addr)
	if err != nil {
		t.Fatal(err)
	}
	d := open(t, "postgres", sourcetest.StartPostgres(t))
	execute := func(statement string) {
		t.Helper()
		if _, err := d.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	execute(`CREATE TABLE Products (productCode VARCHAR(15), quantityInStock INTEGER)`)
	execute(`INSERT INTO Products VALUES ('S10_1678', 50)`)
	hs := prepare("--map-datasource", "jdbc:h2:products="+d.url)
	for _, h := range hs {
		h.write("belfryd.yaml", strings.Join([]string{
			"mail:", "  transport: smtp", "  from: belfry@example.org",
			"  smtp:", "    host: " + smtpHost, "    port: " + port, "    tls: none", "",
		}, "\n"))
		h.args = append(h.args, "--config", h.dir+"/belfryd.yaml")
		h.start()
	}
	hs[0].must("task", "create", "quantity", "--service", "ProductQuantity", "--operation", "getProductQuantity", "--interval", "500ms")
	for range drops {
		hs[0].fired("quantity", 2) // with enough in stock
		owner := hs.ownerOf("quantity")
		execute(`UPDATE Products SET quantityInStock = 5`)
		owner.kill()
		owner.start()
		hs[0].fired("quantity", 4)
		execute(`UPDATE Products SET quantityInStock = 50`)
	}
	eventually(t, patience, "a mail for each drop", func() bool { return len(office.ids()) >= drops })
	hs[0].fired("quantity", 4)
	if n := len(office.ids()); n != drops {
		t.Errorf("%d mails for %d drops", n, drops)
	}
	hs.stop()
}

// ownerOf is the host that fires a task.
func (hs hosts) ownerOf(name string) *host {
	if len(hs) == 1 {
		return hs[0]
	}
	node := show[struct {
		Node string `json:"node"`
	}](hs[0], "task", "show", name).Node
	for i, h := range hs {
		if node == []string{"n1", "n2", "n3"}[i] {
			return h
		}
	}
	hs[0].t.Fatalf("%s is on %q", name, node)
	return nil
}
