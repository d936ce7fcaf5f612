package builtin

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"axiom25/contracts"
)

// The limits of a query.
const (
	maxRows = 1000
	// maxValueBytes bounds a text and a row inside SQLite; an input's own cells always fit.
	maxValueBytes = 1 << 20
	// maxExpressionDepth, maxCompound and maxJoins bound a statement's shape; joins are the tables of one FROM.
	maxExpressionDepth = 100
	maxCompound        = 50
)

var (
	// ErrNotAllowed says that a statement does more than to read the tables.
	ErrNotAllowed = errors.New("the statement may only read: one SELECT over the task's tables and the plain functions")
	// ErrSQL says that SQLite refused a statement or ended it.
	ErrSQL = errors.New("the statement failed")
)

// SQLQuery runs one SELECT over the task's CSV and JSON inputs. It implements tools.Builtin.
//
// Every call has its own database in memory. Once the tables are filled, SQLite's authorizer is asked about each
// thing that a statement is compiled to do, and lets through selecting, reading the call's own tables, recursion
// and the functions of an allow-list. So ATTACH, PRAGMA, VACUUM, writes, definitions, transactions, extensions
// and the tables that SQLite makes up (sqlite_schema, pragma_…, dbstat) are refused before anything runs.
type SQLQuery struct {
	spec   *contracts.ToolSpec
	memory memory
}

// NewSQLQuery returns the tool.
func NewSQLQuery() *SQLQuery {
	return &SQLQuery{spec: computing("sql_query", sqlDescription, sqlInput, sqlOutput), memory: newMemory()}
}

const sqlDescription = `Runs one SELECT statement (SQLite's dialect) over the task's tabular inputs and returns its rows. ` +
	`A CSV text (media type text/csv, first row: column names) or a JSON array of objects is a table named after its input. ` +
	`A column is INTEGER, REAL or TEXT, the narrowest that holds all its cells; empty cells and null are NULL. ` +
	`Only reading is possible. At most 1000 rows and 256 KiB are returned (truncated says so); ` +
	`whole numbers beyond ±(2^53-1) and infinities are returned as text, blobs as hexadecimal text.`

const sqlInput = `{
	"type": "object", "required": ["sql"], "additionalProperties": false,
	"properties": {
		"sql": {"type": "string", "minLength": 1, "maxLength": 16384, "description": "one SELECT statement"},
		"tables": {
			"type": "array", "minItems": 1, "maxItems": 64, "uniqueItems": true,
			"items": {"type": "string", "pattern": "^inputs\\.", "maxLength": 80},
			"description": "the inputs to load, each as inputs.NAME; where absent, every tabular input that is not sensitive"
		}
	}
}`

const sqlOutput = `{
	"type": "object", "required": ["columns", "rows", "row_count", "truncated"], "additionalProperties": false,
	"properties": {
		"columns": {"type": "array", "items": {"type": "string"}},
		"rows": {"type": "array", "items": {"type": "array", "items": {"type": ["number", "string", "null"]}}},
		"row_count": {"type": "integer", "minimum": 0, "maximum": 1000, "description": "how many rows are returned"},
		"truncated": {"type": "boolean", "description": "there were more rows"}
	}
}`

// Spec implements tools.Builtin.
func (q *SQLQuery) Spec() *contracts.ToolSpec { return q.spec }

// sqlArgs are the tool's arguments.
type sqlArgs struct {
	SQL    string   `json:"sql"`
	Tables []string `json:"tables"`
}

// sqlResult is the tool's output.
type sqlResult struct {
	Columns   []string            `json:"columns"`
	Rows      [][]json.RawMessage `json:"rows"`
	RowCount  int                 `json:"row_count"`
	Truncated bool                `json:"truncated"`
}

// Call implements tools.Builtin.
func (q *SQLQuery) Call(ctx context.Context, args json.RawMessage, inputs []contracts.Input) (json.RawMessage, error) {
	var a sqlArgs
	if err := decodeArgs(args, &a); err != nil {
		return nil, err
	}
	if strings.ContainsRune(a.SQL, 0) {
		return nil, ErrSQL
	}
	tables, err := chooseTables(a.Tables, inputs)
	if err != nil {
		return nil, err
	}
	watched, stop := q.memory.watch(ctx)
	defer stop()
	result, err := query(watched, a.SQL, tables)
	if errors.Is(context.Cause(watched), ErrMemory) {
		return nil, ErrMemory
	}
	if err != nil {
		return nil, err
	}
	return encode(result)
}

// chooseTables reads the inputs that a call names, or all that are tables and may be shown.
func chooseTables(names []string, inputs []contracts.Input) ([]*table, error) {
	var chosen []*contracts.Input
	for _, name := range names {
		in, err := findInput(inputs, name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, in)
	}
	if names == nil {
		for i := range inputs {
			if !inputs[i].Sensitive && tabular(&inputs[i]) {
				chosen = append(chosen, &inputs[i])
			}
		}
	}
	tables := make([]*table, 0, len(chosen))
	for _, in := range chosen {
		t, err := readTable(in)
		if err != nil {
			return nil, fmt.Errorf("input %s: %w", in.Name, err)
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// query fills a new database and runs the statement in it.
func query(ctx context.Context, statement string, tables []*table) (*sqlResult, error) {
	connector, err := sqlite.NewConnector("file::memory:?_dqs=0&_pragma=temp_store(2)&_pragma=trusted_schema(0)")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSQL, err)
	}
	db := sql.OpenDB(connector)
	defer db.Close() //nolint:errcheck // nothing in it is kept
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, sqlError(ctx, err)
	}
	defer conn.Close() //nolint:errcheck // as above
	for _, t := range tables {
		if err := load(ctx, conn, t); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, sqlError(ctx, err))
		}
	}
	if err := confine(conn); err != nil {
		return nil, err
	}
	return run(ctx, conn, statement, tables)
}

// resultTable holds the rows of the statement; no input can have this name.
const resultTable = "the statement's rows"

// run runs the statement in two steps. First it is prepared by itself, which shows that it is one statement
// that only reads. Then its rows are put into a table of their own by a single step: the driver lets a context
// interrupt that, but not the reading of rows, between which a query can compute for ever. Wrapped in
// parentheses, the text cannot mean more than what was shown: it was complete by itself.
func run(ctx context.Context, conn *sql.Conn, statement string, tables []*table) (*sqlResult, error) {
	own := make(map[string]bool, len(tables)+1)
	for _, t := range tables {
		own[strings.ToLower(t.name)] = true
	}
	if err := prepare(ctx, conn, statement, authorize(own)); err != nil {
		return nil, err
	}
	own[resultTable] = true
	if err := install(conn, authorizeResult(authorize(own))); err != nil {
		return nil, err
	}
	bare := strings.TrimRight(statement, "; \t\r\n")
	//nolint:gosec // the statement is meant to be SQL of the caller's; the authorizer holds it
	keep := fmt.Sprintf("CREATE TEMP TABLE %s AS SELECT * FROM (\n%s\n) LIMIT %d", quote(resultTable), bare, maxRows+1)
	if _, err := conn.ExecContext(ctx, keep); err != nil {
		return nil, sqlError(ctx, err)
	}
	rows, err := conn.QueryContext(ctx, "SELECT * FROM "+quote(resultTable)) //nolint:gosec // a constant
	if err != nil {
		return nil, sqlError(ctx, err)
	}
	defer rows.Close() //nolint:errcheck // Err says what went wrong
	result, err := collect(rows)
	if err != nil {
		return nil, sqlError(ctx, err)
	}
	return result, nil
}

// load makes a table and fills it.
func load(ctx context.Context, conn *sql.Conn, t *table) error {
	columns := make([]string, len(t.columns))
	for i, c := range t.columns {
		columns[i] = quote(c.name) + " " + string(c.kind)
	}
	if _, err := conn.ExecContext(ctx, "CREATE TABLE "+quote(t.name)+" ("+strings.Join(columns, ", ")+")"); err != nil {
		return err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing, before it the error is known
	places := strings.TrimSuffix(strings.Repeat("?,", len(t.columns)), ",")
	insert, err := tx.PrepareContext(ctx, "INSERT INTO "+quote(t.name)+" VALUES ("+places+")") //nolint:gosec // the name is quoted
	if err != nil {
		return err
	}
	defer insert.Close() //nolint:errcheck // it only reads
	for _, row := range t.rows {
		if _, err := insert.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// quote writes a name as an SQL identifier.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// confine bounds what a statement may build.
func confine(conn *sql.Conn) error {
	limits := []struct{ id, value int }{
		{sqlite3.SQLITE_LIMIT_LENGTH, maxValueBytes},
		{sqlite3.SQLITE_LIMIT_EXPR_DEPTH, maxExpressionDepth},
		{sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, maxCompound},
		{sqlite3.SQLITE_LIMIT_ATTACHED, 0},
		{sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 0},
		{sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0},
		{sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000},
		{sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 0},
	}
	for _, l := range limits {
		if _, err := sqlite.Limit(conn, l.id, l.value); err != nil {
			return fmt.Errorf("%w: %w", ErrSQL, err)
		}
	}
	return nil
}

// install makes SQLite ask before it compiles anything.
func install(conn *sql.Conn, fn sqlite.AuthorizerFn) error {
	return conn.Raw(func(c any) error {
		authorizer, ok := c.(sqlite.AuthorizerRegisterer)
		if !ok {
			return fmt.Errorf("%w: this driver has no authorizer", ErrSQL)
		}
		return authorizer.RegisterAuthorizer(fn)
	})
}

// authorize lets a statement read its own tables and call plain functions, and nothing else.
func authorize(own map[string]bool) sqlite.AuthorizerFn {
	return func(action sqlite.AuthorizerActionCode, arg1, arg2, _, _ string) sqlite.AuthorizerReturnCode {
		allowed := action == sqlite.AuthSelect || action == sqlite.AuthRecursive
		if action == sqlite.AuthRead {
			allowed = readable(own, strings.ToLower(arg1), arg2)
		}
		if action == sqlite.AuthFunction {
			_, allowed = slices.BinarySearch(sqlFunctions, strings.ToLower(arg2))
		}
		if allowed {
			return sqlite.AuthorizerOK
		}
		return sqlite.AuthorizerDeny
	}
}

// authorizeResult lets SQLite make and fill the table of the result as well.
func authorizeResult(reading sqlite.AuthorizerFn) sqlite.AuthorizerFn {
	return func(action sqlite.AuthorizerActionCode, arg1, arg2, database, trigger string) sqlite.AuthorizerReturnCode {
		if action == sqlite.AuthCreateTempTable && arg1 == resultTable {
			return sqlite.AuthorizerOK
		}
		fills := action == sqlite.AuthInsert || action == sqlite.AuthUpdate || action == sqlite.AuthRead
		if fills && (arg1 == "sqlite_temp_master" || arg1 == resultTable) {
			return sqlite.AuthorizerOK
		}
		return reading(action, arg1, arg2, database, trigger)
	}
}

// readable reports whether a statement may read a column of a table. SQLite asks about a column of a table by
// both names. About a table of which no column is read, as in count(*), it asks with no column, and then about
// subqueries too, by their alias; so there every name is good that is not one of SQLite's own tables.
func readable(own map[string]bool, table, column string) bool {
	if own[table] || table == "json_each" || table == "json_tree" {
		return true
	}
	return column == "" && !madeUp(table)
}

// madeUp reports whether SQLite itself defines a table of this name.
func madeUp(name string) bool {
	return slices.ContainsFunc(madeUpTables, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// madeUpTables are how the names of SQLite's own tables begin.
var madeUpTables = []string{"sqlite_", "pragma_", "dbstat", "bytecode", "tables_used", "fts3", "fts4", "fts5", "rtree", "geopoly"}

// prepare compiles the first statement of a text as fn lets it, and runs nothing.
func prepare(ctx context.Context, conn *sql.Conn, statement string, fn sqlite.AuthorizerFn) error {
	if err := install(conn, fn); err != nil {
		return err
	}
	prepared, err := conn.PrepareContext(ctx, statement)
	if err != nil {
		return sqlError(ctx, err)
	}
	return prepared.Close()
}

// collect reads the rows, up to the limits.
func collect(rows *sql.Rows) (*sqlResult, error) {
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	result := &sqlResult{Columns: columns, Rows: [][]json.RawMessage{}}
	size := 0
	for _, c := range columns {
		size += 2*len(c) + 16
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		row, n, err := encodeRow(values)
		if err != nil {
			return nil, err
		}
		size += n
		if result.RowCount == maxRows || size > maxResultBytes-256 { // 256: what stands around the rows
			result.Truncated = true
			return result, nil
		}
		result.Rows = append(result.Rows, row)
		result.RowCount++
	}
	return result, rows.Err()
}

// encodeRow returns a row as JSON values, and its size.
func encodeRow(values []any) ([]json.RawMessage, int, error) {
	row, size := make([]json.RawMessage, len(values)), 2
	for i, v := range values {
		cell, err := contracts.Encode(jsonCell(v))
		if err != nil {
			return nil, 0, err
		}
		row[i] = cell
		size += len(cell) + 1
	}
	return row, size, nil
}

// jsonCell returns a value of SQLite as one that JSON can hold without loss.
func jsonCell(v any) any {
	switch v := v.(type) {
	case int64:
		if v > maxExact || v < -maxExact {
			return strconv.FormatInt(v, 10)
		}
	case float64:
		if math.IsInf(v, 0) {
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
	case []byte:
		return hex.EncodeToString(v)
	case string:
		return strings.ToValidUTF8(v, "\uFFFD")
	case time.Time: // the driver parses what a column of a date type holds; the tables have none
		return v.Format(time.RFC3339Nano)
	}
	return v
}

// sqlError says what kind of thing went wrong, without SQLite's words, which quote the statement.
func sqlError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var refused *sqlite.Error
	if !errors.As(err, &refused) {
		return ErrSQL
	}
	if strings.Contains(refused.Error(), "not authorized") { // a function; its code says no more than "error"
		return ErrNotAllowed
	}
	switch refused.Code() & 0xff {
	case sqlite3.SQLITE_AUTH:
		return ErrNotAllowed
	case sqlite3.SQLITE_TOOBIG:
		return fmt.Errorf("%w: a text, a row or the statement grew beyond its limit", ErrSQL)
	case sqlite3.SQLITE_NOMEM:
		return ErrMemory
	}
	return fmt.Errorf("%w: %s", ErrSQL, kindOf(refused.Error()))
}

// kindOf returns what kind of mistake SQLite's message is about.
func kindOf(message string) string {
	for _, kind := range []string{
		"syntax error", "incomplete input", "unrecognized token", "no such table", "no such column", "no such function",
		"no such collation sequence", "ambiguous column name", "wrong number of arguments", "misuse of aggregate",
		"misuse of window function", "malformed JSON", "integer overflow", "too many columns", "too many terms",
		"Expression tree is too large", "prohibited", "values for", "do not have the same number of result columns",
	} {
		if strings.Contains(message, kind) {
			return kind
		}
	}
	return "SQLite cannot run it"
}

// sqlFunctions are the functions that a statement may call, sorted. They are the scalar, aggregate, window,
// mathematical, JSON and date functions of SQLite that depend on their arguments alone (dates may say 'now').
// Left out are those that make large values of nothing (zeroblob, randomblob), draw random numbers, load code
// (load_extension), read the connection's state or belong to full-text and spatial tables.
var sqlFunctions = []string{
	"->", "->>", "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "avg", "ceil", "ceiling", "char",
	"coalesce", "concat", "concat_ws", "cos", "cosh", "count", "cume_dist", "date", "datetime", "degrees", "dense_rank",
	"exp", "first_value", "floor", "format", "glob", "group_concat", "hex", "if", "ifnull", "iif", "instr", "json",
	"json_array", "json_array_length", "json_each", "json_extract", "json_group_array", "json_group_object",
	"json_object", "json_patch", "json_quote", "json_remove", "json_replace", "json_set", "json_tree", "json_type",
	"json_valid", "julianday", "lag", "last_value", "lead", "length", "like", "likelihood", "likely", "ln", "log",
	"log10", "log2", "lower", "ltrim", "max", "median", "min", "mod", "nth_value", "ntile", "nullif", "octet_length",
	"percent_rank", "percentile", "percentile_cont", "percentile_disc", "pi", "pow", "power", "printf", "quote",
	"radians", "rank", "replace", "round", "row_number", "rtrim", "sign", "sin", "sinh", "soundex", "sqrt",
	"strftime", "string_agg", "substr", "substring", "sum", "tan", "tanh", "time", "timediff", "total", "trim",
	"trunc", "typeof", "unhex", "unicode", "unixepoch", "unlikely", "upper",
}
