package cond

// Row is the simple values of an element, in the document's order.
type Row []Found

// Rows reads a document as a table, for a person: each child of the root that
// holds elements is a row of those of them that are simple. A document without
// such children, like that of an input trigger, is one row of its own. At most
// limit rows are given; total counts all.
func (d *Document) Rows(limit int) (rows []Row, total int) {
	root := d.element()
	for _, c := range root.children {
		if c.kind != elementNode || c.leaf() {
			continue
		}
		if total++; total <= limit {
			rows = append(rows, leaves(c))
		}
	}
	if total == 0 {
		if row := leaves(root); len(row) > 0 && limit > 0 {
			return []Row{row}, 1
		}
	}
	return rows, total
}

func leaves(n *node) Row {
	var row Row
	for _, c := range n.children {
		if c.kind == elementNode && c.leaf() {
			row = append(row, Found{Name: c.local, Value: c.value()})
		}
	}
	return row
}
