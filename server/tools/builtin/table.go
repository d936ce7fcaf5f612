package builtin

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"

	"axiom25/contracts"
)

// How large a table may be. The documents that tables come from are bounded in bytes, but a missing member
// costs none.
const (
	maxColumns = 256
	maxCells   = 1_000_000
)

var (
	// ErrNotTabular says that an input is neither CSV nor an array of objects.
	ErrNotTabular = errors.New("the input is neither CSV text (media type text/csv) nor a JSON array of objects")
	// ErrBadCSV says that a CSV input cannot be read.
	ErrBadCSV = errors.New("the input is not CSV with one header row and as many fields in every row")
	// ErrTableSize says that an input has too many columns or cells.
	ErrTableSize = fmt.Errorf("a table has at most %d columns and %d cells", maxColumns, maxCells)
	// ErrBadColumns says that a table's columns have no names, or equal ones.
	ErrBadColumns = errors.New("the columns need names that differ in more than case")
)

// table is an input as rows and columns. Cells are nil, int64, float64 or string; while it is read, number too.
type table struct {
	name    string
	columns []column
	rows    [][]any
}

// column is a table's column with its inferred type.
type column struct {
	name string
	kind columnKind
}

// columnKind is a column's type in SQLite.
type columnKind string

// The types of columns. A column is INTEGER where every cell is an integer of 64 bits, REAL where every cell is
// a number, else TEXT; empty CSV cells and JSON nulls are NULL and say nothing about the type.
const (
	kindInteger columnKind = "INTEGER"
	kindReal    columnKind = "REAL"
	kindText    columnKind = "TEXT"
)

// tabular reports whether an input looks like a table, without reading it whole.
func tabular(in *contracts.Input) bool {
	if in.Text != nil {
		return isCSV(in.MediaType)
	}
	head := bytes.TrimLeft(in.Data, " \t\r\n")
	if len(head) == 0 || head[0] != '[' {
		return false
	}
	head = bytes.TrimLeft(head[1:], " \t\r\n")
	return len(head) > 0 && head[0] == '{'
}

// readTable reads an input as a table.
func readTable(in *contracts.Input) (*table, error) {
	switch {
	case in.URI != "":
		return nil, ErrNoContent
	case in.Text != nil && isCSV(in.MediaType):
		return readCSV(in.Name, *in.Text)
	case tabular(in):
		return readObjects(in.Name, in.Data)
	}
	return nil, ErrNotTabular
}

func isCSV(mediaType string) bool {
	parsed, _, err := mime.ParseMediaType(mediaType)
	return err == nil && parsed == "text/csv"
}

// readCSV reads RFC 4180 with a header row. A cell is an integer or a number only as it would be written back,
// so that codes such as 007 stay text.
func readCSV(name, text string) (*table, error) {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	header, err := r.Read()
	if err != nil {
		return nil, ErrBadCSV
	}
	t := &table{name: name, columns: make([]column, len(header))}
	for i, title := range header {
		t.columns[i].name = strings.TrimSpace(title)
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, ErrBadCSV
		}
		row := make([]any, len(record))
		for i, cell := range record {
			row[i] = csvValue(cell)
		}
		t.rows = append(t.rows, row)
	}
	return t, t.finish()
}

// csvValue reads a cell, blanks around a number left out.
func csvValue(cell string) any {
	trimmed := strings.TrimSpace(cell)
	if trimmed == "" {
		return nil
	}
	if value, ok := parseNumber(trimmed); ok {
		return number{value: value, text: cell}
	}
	return cell
}

// number is a cell that holds an int64 or a float64, with its spelling, which is what it goes back to in a
// column of texts.
type number struct {
	value any
	text  string
}

// parseNumber reads a number as JSON writes one: without leading zeros, so that a code such as 007 stays text.
func parseNumber(s string) (any, bool) {
	var n json.Number
	if c := s[0]; c != '-' && (c < '0' || c > '9') || json.Unmarshal([]byte(s), &n) != nil {
		return nil, false
	}
	if i, err := n.Int64(); err == nil {
		return i, true
	}
	f, err := n.Float64()
	return f, err == nil // out of range otherwise
}

// readObjects reads an array of objects; the columns are the names in the order in which they first occur.
// Booleans become 1 and 0, arrays and objects their JSON text.
func readObjects(name string, data json.RawMessage) (*table, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if _, err := d.Token(); err != nil { // the bracket
		return nil, ErrNotTabular
	}
	t := &table{name: name}
	index := map[string]int{}
	for d.More() {
		row, err := t.readObject(d, index)
		if err != nil {
			return nil, err
		}
		t.rows = append(t.rows, row)
	}
	if len(t.rows)*len(t.columns) > maxCells {
		return nil, ErrTableSize
	}
	for i, row := range t.rows { // objects that came before a name did
		t.rows[i] = append(row, make([]any, len(t.columns)-len(row))...)
	}
	return t, t.finish()
}

// readObject reads one object as a row.
func (t *table) readObject(d *json.Decoder, index map[string]int) ([]any, error) {
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, ErrNotTabular
	}
	row := make([]any, len(t.columns))
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, ErrNotTabular
		}
		name, ok := key.(string)
		if !ok {
			return nil, ErrNotTabular
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, ErrNotTabular
		}
		i, known := index[name]
		if !known {
			i = len(t.columns)
			if i == maxColumns {
				return nil, ErrTableSize
			}
			index[name] = i
			t.columns = append(t.columns, column{name: name})
			row = append(row, nil)
		}
		row[i] = jsonValue(raw)
	}
	if _, err := d.Token(); err != nil { // the brace
		return nil, ErrNotTabular
	}
	return row, nil
}

// jsonValue reads a member's value as a cell.
func jsonValue(raw json.RawMessage) any {
	switch raw[0] {
	case 'n':
		return nil
	case 't':
		return number{value: int64(1), text: "true"}
	case 'f':
		return number{value: int64(0), text: "false"}
	case '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return string(raw)
		}
		return s
	case '{', '[':
		return string(compact(string(raw)))
	}
	if value, ok := parseNumber(string(raw)); ok {
		return number{value: value, text: string(raw)}
	}
	return string(raw)
}

// finish checks the columns and gives each the narrowest type that holds all its cells.
func (t *table) finish() error {
	if err := t.check(); err != nil {
		return err
	}
	for i := range t.columns {
		kind := kindInteger
		for _, row := range t.rows {
			kind = widen(kind, row[i])
		}
		t.columns[i].kind = kind
		for _, row := range t.rows {
			row[i] = convert(row[i], kind)
		}
	}
	return nil
}

// widen returns the narrowest type that holds a cell and what kind holds.
func widen(kind columnKind, cell any) columnKind {
	switch cell := cell.(type) {
	case string:
		return kindText
	case number:
		if _, whole := cell.value.(int64); !whole && kind == kindInteger {
			return kindReal
		}
	}
	return kind
}

// convert gives a cell the type of its column.
func convert(cell any, kind columnKind) any {
	n, ok := cell.(number)
	if !ok {
		return cell
	}
	if kind == kindText {
		return n.text
	}
	if whole, ok := n.value.(int64); ok && kind == kindReal {
		return float64(whole)
	}
	return n.value
}

// check refuses columns that SQL could not name.
func (t *table) check() error {
	if len(t.columns) > maxColumns || len(t.rows)*len(t.columns) > maxCells {
		return ErrTableSize
	}
	seen := make(map[string]bool, len(t.columns))
	for _, c := range t.columns {
		folded := strings.ToLower(c.name)
		if folded == "" || strings.ContainsRune(folded, 0) || seen[folded] {
			return ErrBadColumns
		}
		seen[folded] = true
	}
	if len(t.columns) == 0 {
		return ErrBadColumns
	}
	return nil
}
