package builtin_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"axiom25/contracts"
	"axiom25/server/tools/builtin"
)

const planetsCSV = "planet,mass,moons,code,note\nMercury,0.330,0,007,\nVenus,4.87,0,8,hot\nEarth,5.97,1,9,\"wet, \"\"blue\"\"\"\n"

const townsJSON = `[{"name":"Ur","people":65000,"old":true},{"name":"Rome","people":2.8e6,"tags":["a",{"b":1}]},{"name":null}]`

func TestSQLQuery(t *testing.T) {
	planets, towns := text("planets", "text/csv; charset=utf-8", planetsCSV), data("towns", townsJSON)
	secret := text("secret", "text/csv", "word\nhush\n")
	secret.Sensitive = true
	for name, tc := range map[string]struct{ sql, tables, want string }{
		"types of columns": {
			sql:  "SELECT typeof(mass), typeof(moons), typeof(code), note FROM planets",
			want: `{"columns":["typeof(mass)","typeof(moons)","typeof(code)","note"],"rows":[["real","integer","text",null],["real","integer","text","hot"],["real","integer","text","wet, \"blue\""]],"row_count":3,"truncated":false}`,
		},
		"text keeps its spelling": {sql: "SELECT code FROM planets ORDER BY planet DESC", want: `{"columns":["code"],"rows":[["8"],["007"],["9"]],"row_count":3,"truncated":false}`},
		"objects": {
			sql:  "SELECT name, people, old, tags FROM towns",
			want: `{"columns":["name","people","old","tags"],"rows":[["Ur",65000,1,null],["Rome",2800000,null,"[\"a\",{\"b\":1}]"],[null,null,null,null]],"row_count":3,"truncated":false}`,
		},
		"aggregate of nothing read": {sql: "SELECT count(*) AS n FROM (SELECT 1 FROM planets) AS some", want: `{"columns":["n"],"rows":[[3]],"row_count":1,"truncated":false}`},
		"a common table":            {sql: "WITH p AS (SELECT * FROM planets) SELECT count(*) AS n FROM p", want: `{"columns":["n"],"rows":[[3]],"row_count":1,"truncated":false}`},
		"recursion":                 {sql: "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<3) SELECT sum(x) AS s FROM c", want: `{"columns":["s"],"rows":[[6]],"row_count":1,"truncated":false}`},
		"windows":                   {sql: "SELECT planet, rank() OVER (ORDER BY mass DESC) AS r FROM planets LIMIT 1", want: `{"columns":["planet","r"],"rows":[["Earth",1]],"row_count":1,"truncated":false}`},
		"json functions":            {sql: "SELECT j.value AS v FROM towns, json_each(tags) AS j WHERE j.type='text'", want: `{"columns":["v"],"rows":[["a"]],"row_count":1,"truncated":false}`},
		"no table":                  {sql: "VALUES (1, 'a')", want: `{"columns":["column1","column2"],"rows":[[1,"a"]],"row_count":1,"truncated":false}`},
		"what JSON cannot hold": {
			sql:  "SELECT 9007199254740991, 9007199254740992, 9e999, -9e999, x'00ff'",
			want: `{"columns":["9007199254740991","9007199254740992","9e999","-9e999","x'00ff'"],"rows":[[9007199254740991,"9007199254740992","+Inf","-Inf","00ff"]],"row_count":1,"truncated":false}`,
		},
		"a sensitive input that is named": {sql: "SELECT length(word) AS n FROM secret", tables: `,"tables":["inputs.secret"]`, want: `{"columns":["n"],"rows":[[4]],"row_count":1,"truncated":false}`},
		"a comment behind":                {sql: "SELECT 1 AS a -- that is all", want: `{"columns":["a"],"rows":[[1]],"row_count":1,"truncated":false}`},
	} {
		t.Run(name, func(t *testing.T) {
			sql, err := json.Marshal(tc.sql)
			if err != nil {
				t.Fatal(err)
			}
			got, err := call(t, builtin.NewSQLQuery(), `{"sql":`+string(sql)+tc.tables+`}`, planets, towns, secret)
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestSQLQuery_refuses(t *testing.T) {
	planets := text("planets", "text/csv", planetsCSV)
	secret := text("secret", "text/csv", "word\nhush\n")
	secret.Sensitive = true
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim.txt")
	if err := os.WriteFile(victim, []byte("hush"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		sql  string
		want error
	}{
		"attach":                      {"ATTACH '" + filepath.Join(dir, "a.db") + "' AS a", builtin.ErrNotAllowed},
		"attach by expression":        {"ATTACH (SELECT '" + filepath.Join(dir, "a.db") + "') AS a", builtin.ErrNotAllowed},
		"detach":                      {"DETACH main", builtin.ErrNotAllowed},
		"vacuum":                      {"VACUUM", builtin.ErrSQL},
		"vacuum into a file":          {"VACUUM INTO '" + filepath.Join(dir, "v.db") + "'", builtin.ErrSQL},
		"pragma that lifts read-only": {"PRAGMA query_only=0", builtin.ErrNotAllowed},
		"pragma that reads":           {"PRAGMA database_list", builtin.ErrNotAllowed},
		"writable schema":             {"PRAGMA writable_schema=1", builtin.ErrNotAllowed},
		"pragma as a table":           {"SELECT * FROM pragma_database_list", builtin.ErrNotAllowed},
		"pragma as a counted table":   {"SELECT count(*) FROM pragma_database_list", builtin.ErrNotAllowed},
		"pragma as a function":        {"SELECT name FROM pragma_table_info('planets')", builtin.ErrNotAllowed},
		"the schema":                  {"SELECT sql FROM sqlite_schema", builtin.ErrNotAllowed},
		"the schema, old name":        {"SELECT sql FROM sqlite_master", builtin.ErrNotAllowed},
		"the schema, counted":         {"SELECT count(*) FROM sqlite_master", builtin.ErrNotAllowed},
		"the temporary schema":        {"SELECT * FROM sqlite_temp_master", builtin.ErrNotAllowed},
		"pages":                       {"SELECT data FROM sqlite_dbpage", builtin.ErrNotAllowed},
		"page statistics":             {"SELECT * FROM dbstat", builtin.ErrNotAllowed},
		"insert":                      {"INSERT INTO planets(planet) VALUES('X')", builtin.ErrNotAllowed},
		"insert, returning":           {"INSERT INTO planets(planet) VALUES('X') RETURNING planet", builtin.ErrNotAllowed},
		"a write behind with":         {"WITH a AS (SELECT 1) DELETE FROM planets", builtin.ErrNotAllowed},
		"update":                      {"UPDATE planets SET mass=0", builtin.ErrNotAllowed},
		"delete":                      {"DELETE FROM planets", builtin.ErrNotAllowed},
		"replace":                     {"REPLACE INTO planets(planet) VALUES('X')", builtin.ErrNotAllowed},
		"create table":                {"CREATE TABLE t(a)", builtin.ErrNotAllowed},
		"create a temporary table":    {"CREATE TEMP TABLE t AS SELECT 1", builtin.ErrNotAllowed},
		"create a virtual table":      {"CREATE VIRTUAL TABLE t USING fts5(a)", builtin.ErrNotAllowed},
		"create a view":               {"CREATE VIEW v AS SELECT 1", builtin.ErrNotAllowed},
		"create a trigger":            {"CREATE TRIGGER g AFTER INSERT ON planets BEGIN SELECT 1; END", builtin.ErrNotAllowed},
		"drop":                        {"DROP TABLE planets", builtin.ErrNotAllowed},
		"alter":                       {"ALTER TABLE planets RENAME TO p", builtin.ErrNotAllowed},
		"begin":                       {"BEGIN", builtin.ErrNotAllowed},
		"savepoint":                   {"SAVEPOINT s", builtin.ErrNotAllowed},
		"analyze":                     {"ANALYZE", builtin.ErrNotAllowed},
		"load an extension":           {"SELECT load_extension('x')", builtin.ErrNotAllowed},
		"random bytes":                {"SELECT randomblob(1000000000)", builtin.ErrNotAllowed},
		"zeroes":                      {"SELECT zeroblob(1000000000)", builtin.ErrNotAllowed},
		"random":                      {"SELECT random()", builtin.ErrNotAllowed},
		"the library's version":       {"SELECT sqlite_version()", builtin.ErrNotAllowed},
		"a tokenizer's address":       {"SELECT fts3_tokenizer('simple')", builtin.ErrSQL},
		"read a file":                 {"SELECT readfile('" + victim + "')", builtin.ErrSQL},
		"write a file":                {"SELECT writefile('" + victim + "', 'x')", builtin.ErrSQL},
		"two statements":              {"SELECT 1; SELECT 2", builtin.ErrSQL},
		"a hidden second statement":   {"SELECT 1; /* */ ATTACH '" + filepath.Join(dir, "a.db") + "' AS a", builtin.ErrSQL},
		"no statement":                {"-- nothing", builtin.ErrSQL},
		"a zero byte":                 {"SELECT 1\x00; DROP TABLE planets", builtin.ErrSQL},
		"a parameter":                 {"SELECT ?", builtin.ErrSQL},
		"an unknown table":            {"SELECT * FROM mars", builtin.ErrSQL},
		"a sensitive input, unnamed":  {"SELECT * FROM secret", builtin.ErrSQL},
		"a plan of the statement":     {"EXPLAIN SELECT 1", builtin.ErrSQL},
		"a way out of the wrapping":   {"SELECT 1) LIMIT 1; DROP TABLE planets; --", builtin.ErrSQL},
		"an open comment":             {"SELECT 1 /* ", builtin.ErrSQL},
		"nonsense":                    {"SELEKT", builtin.ErrSQL},
		"text as an identifier":       {`SELECT "no such column"`, builtin.ErrSQL},
		"a text that grows":           {"SELECT printf('%2000000d', 1)", builtin.ErrSQL},
		"a text that doubles":         {"WITH RECURSIVE c(s) AS (SELECT 'x' UNION ALL SELECT s||s FROM c) SELECT max(length(s)) FROM c", builtin.ErrSQL},
		"replacement that explodes":   {"SELECT replace(replace(printf('%999d',1),' ',printf('%999d',1)),' ',printf('%999d',1))", builtin.ErrSQL},
		"a deep expression":           {"SELECT " + strings.Repeat("(", 200) + "1" + strings.Repeat("+1)", 200), builtin.ErrSQL},
		"many compounds":              {"SELECT 1" + strings.Repeat(" UNION SELECT 1", 100), builtin.ErrSQL},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := call(t, builtin.NewSQLQuery(), args(t, "sql", tc.sql), planets, secret)
			if !errors.Is(err, tc.want) {
				t.Fatalf("got %s, %v; want %v", out, err, tc.want)
			}
			for _, quoted := range []string{"hush", "Mercury", "mars", dir} {
				if strings.Contains(err.Error(), quoted) {
					t.Errorf("the error %q quotes data or the statement", err)
				}
			}
		})
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("statements left files behind: %v, %v", left, err)
	}
}

func TestSQLQuery_ends(t *testing.T) {
	for name, sql := range map[string]string{
		"before the first row":  "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c",
		"behind the first row":  "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT x FROM c WHERE x=1 OR x<0",
		"in a join of a table":  "SELECT count(*) FROM n a, n b, n c, n d, n e, n f, n g",
		"in a pattern's search": "SELECT count(*) FROM n a, n b, n c, n d, n e WHERE a.x||b.x||c.x LIKE '%1%2%3%4%5%6%7%8%'",
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			numbers := data("n", `[{"x":1}`+strings.Repeat(`,{"x":2}`, 999)+`]`)
			begun := time.Now() //nolint:forbidigo // the test measures
			_, err := builtin.NewSQLQuery().Call(ctx, json.RawMessage(args(t, "sql", sql)), []contracts.Input{numbers})
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want the deadline's error", err)
			}
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("the call went on for %v", took)
			}
		})
	}
}

func TestSQLQuery_memory(t *testing.T) {
	sql := "WITH RECURSIVE c(x, s) AS (SELECT 1, printf('%100000d', 1) UNION ALL SELECT x+1, printf('%100000d', x) FROM c) SELECT s FROM c ORDER BY s"
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	_, err := builtin.NewSQLQuery().Call(ctx, json.RawMessage(args(t, "sql", sql)), nil)
	if !errors.Is(err, builtin.ErrMemory) {
		t.Errorf("got %v, want ErrMemory", err)
	}
}

func TestSQLQuery_limits(t *testing.T) {
	series := "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<%) SELECT "
	for name, tc := range map[string]struct {
		sql       string
		rows      int
		truncated bool
	}{
		"as many rows as fit":  {strings.Replace(series, "%", "1000", 1) + "x FROM c", 1000, false},
		"one row more":         {strings.Replace(series, "%", "1001", 1) + "x FROM c", 1000, true},
		"rows that never end":  {strings.Replace(series, "x<%", "x>0", 1) + "x FROM c", 1000, true},
		"more bytes than fit":  {strings.Replace(series, "%", "30", 1) + "printf('%10000d', x) FROM c", 26, true},
		"one row that is huge": {"SELECT printf('%300000d', 1)", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := call(t, builtin.NewSQLQuery(), args(t, "sql", tc.sql))
			if err != nil {
				t.Fatal(err)
			}
			var out struct {
				RowCount  int               `json:"row_count"`
				Rows      []json.RawMessage `json:"rows"`
				Truncated bool              `json:"truncated"`
			}
			if err := json.Unmarshal([]byte(got), &out); err != nil {
				t.Fatal(err)
			}
			if out.RowCount != tc.rows || len(out.Rows) != tc.rows || out.Truncated != tc.truncated {
				t.Errorf("got %d rows (%d), truncated %v; want %d, %v", out.RowCount, len(out.Rows), out.Truncated, tc.rows, tc.truncated)
			}
			if limit := builtin.NewSQLQuery().Spec().Limits.MaxResultBytes; int64(len(got)) > limit {
				t.Errorf("the output has %d bytes, more than %d", len(got), limit)
			}
		})
	}
}

func TestSQLQuery_inputs(t *testing.T) {
	wide := "a0"
	for range 300 {
		wide += ",b"
	}
	reference := contracts.Input{Name: "in", URI: "https://example.org/t.csv", MediaType: "text/csv"}
	for name, tc := range map[string]struct {
		in   contracts.Input
		want error
	}{
		"plain text":              {text("in", "text/plain", "a,b\n1,2\n"), builtin.ErrNotTabular},
		"an object":               {data("in", `{"a":1}`), builtin.ErrNotTabular},
		"numbers":                 {data("in", `[1,2]`), builtin.ErrNotTabular},
		"objects and numbers":     {data("in", `[{"a":1},2]`), builtin.ErrNotTabular},
		"a reference":             {reference, builtin.ErrNoContent},
		"uneven CSV":              {text("in", "text/csv", "a,b\n1\n"), builtin.ErrBadCSV},
		"empty CSV":               {text("in", "text/csv", ""), builtin.ErrBadCSV},
		"a column without a name": {text("in", "text/csv", "a,\n1,2\n"), builtin.ErrBadColumns},
		"equal columns":           {text("in", "text/csv", "a,A\n1,2\n"), builtin.ErrBadColumns},
		"objects without members": {data("in", `[{},{}]`), builtin.ErrBadColumns},
		"too many columns":        {text("in", "text/csv", wide+"\n"), builtin.ErrTableSize},
		"too many members":        {data("in", "[{"+manyMembers(300)+"}]"), builtin.ErrTableSize},
		"members that cost none":  {data("in", "[{"+manyMembers(200)+"}"+strings.Repeat(",{}", 6000)+"]"), builtin.ErrTableSize},
		"another name":            {text("out", "text/csv", "a\n1\n"), builtin.ErrUnknownInput},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := call(t, builtin.NewSQLQuery(), `{"sql":"SELECT 1","tables":["inputs.in"]}`, tc.in)
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func manyMembers(n int) string {
	members := make([]string, n)
	for i := range members {
		members[i] = `"k` + strings.Repeat("x", i) + `":1`
	}
	return strings.Join(members, ",")
}
