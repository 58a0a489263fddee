package query_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/seed42aab489/belfry/dataservice/result"
)

const tenRows = "select productCode, productName, productLine, quantityInStock, buyPrice from Products limit 10"

// BenchmarkTenRows compares a query through a Runtime and the JSON sink with bare
// database/sql and encoding/json on the same driver and database.
func BenchmarkTenRows(b *testing.B) {
	path := sampleDB(b)
	b.Run("belfry", func(b *testing.B) {
		svc := load(b, "ResourcesSample")
		q := svc.Query("getProductsQuery")
		q.SQL[""] = tenRows
		r := rigOf(b, svc, "sqlite:"+path, nil, nil)
		req := r.request("GET products", nil)
		b.ReportAllocs()
		for b.Loop() {
			w := result.NewJSON(io.Discard, 1<<20)
			if _, err := r.rt.Run(b.Context(), req, w); err != nil {
				b.Fatal(err)
			}
			if err := w.Flush(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)")
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		stmt, err := db.PrepareContext(b.Context(), tenRows)
		if err != nil {
			b.Fatal(err)
		}
		defer stmt.Close()
		b.ReportAllocs()
		for b.Loop() {
			if err := bare(b.Context(), stmt); err != nil {
				b.Fatal(err)
			}
		}
	})
}

type bareProduct struct {
	Code  string  `json:"productCode"`
	Name  string  `json:"productName"`
	Line  string  `json:"productLine"`
	Stock int64   `json:"quantityInStock"`
	Price float64 `json:"buyPrice"`
}

// bare is what a handler written by hand does.
func bare(ctx context.Context, stmt *sql.Stmt) error {
	rows, err := stmt.QueryContext(ctx)
	if err != nil {
		return err
	}
	defer rows.Close()
	var list []bareProduct
	for rows.Next() {
		var p bareProduct
		if err := rows.Scan(&p.Code, &p.Name, &p.Line, &p.Stock, &p.Price); err != nil {
			return err
		}
		list = append(list, p)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	var doc struct {
		Products struct {
			Product []bareProduct `json:"Product"`
		} `json:"Products"`
	}
	doc.Products.Product = list
	return json.NewEncoder(io.Discard).Encode(doc)
}

// BenchmarkFiring executes firings, each with its row in the inbox.
func BenchmarkFiring(b *testing.B) {
	r := newRig(b, "ScheduleTaskTest", "sqlite:"+sampleDB(b), nil, nil)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		req := r.fireReq("incrementEmployeeSalary", fmt.Sprint("uid:", n), time.Now(), nil)
		if _, err := r.rt.Run(b.Context(), req, drop{}); err != nil {
			b.Fatal(err)
		}
	}
}
