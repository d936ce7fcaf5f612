package builtin

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/itchyny/gojq"
)

// What a query may build. A value is measured where it is made, so that none is ever much larger; what shares
// its parts counts as often as it is shared, since writing it out would.
const (
	maxValueUnits = 32 << 20 // about bytes: 16 a value, and the length of texts
	maxValueDepth = 1000
	// maxPairs bounds the work of operations that hold each part of one value against each of another.
	maxPairs = 100_000_000
	// maxBigBits bounds whole numbers beyond 64 bits.
	maxBigBits = 4096
)

// The guards are functions that rewritten queries call; their names cannot be written by a user, whose functions
// are those of the allow-lists.
const (
	guardBounded = "_bounded" // its input, measured
	guardPairs   = "_pairs"   // its input, where an operation on its two arguments is not too much work
)

// queryGuards returns the guards as options of the compiler.
func queryGuards() []gojq.CompilerOption {
	return []gojq.CompilerOption{
		gojq.WithFunction(guardBounded, 0, 0, func(value any, _ []any) any {
			if err := bounded(value); err != nil {
				return err
			}
			return value
		}),
		gojq.WithFunction(guardPairs, 2, 2, func(value any, args []any) any {
			if err := fewPairs(args[0], args[1]); err != nil {
				return err
			}
			return value
		}),
	}
}

// bounded returns ErrValueSize for a value that is too large.
func bounded(value any) error {
	if left := measure(value, maxValueUnits, maxValueDepth); left < 0 {
		return ErrValueSize
	}
	return nil
}

// measure takes a value's units from left and returns what remains, which is negative where it did not suffice.
func measure(value any, left, depth int) int {
	left -= 16
	if left < 0 || depth == 0 {
		return -1
	}
	switch value := value.(type) {
	case string:
		return left - len(value)
	case *big.Int:
		if value.BitLen() > maxBigBits {
			return -1
		}
	case []any:
		for _, v := range value {
			if left = measure(v, left, depth-1); left < 0 {
				return -1
			}
		}
	case map[string]any:
		for name, v := range value {
			if left = measure(v, left-len(name), depth-1); left < 0 {
				return -1
			}
		}
	}
	return left
}

// fewPairs returns ErrValueSize where combining two values would take too long or build too much: repeating a
// text, joining with one, taking one array from another, looking for one value in another.
func fewPairs(l, r any) error {
	if text, times, ok := repetition(l, r); ok {
		if times > 0 && float64(len(text))*times > maxValueUnits {
			return ErrValueSize
		}
		return nil
	}
	if list, ok := l.([]any); ok {
		if glue, ok := r.(string); ok && len(list)*len(glue) > maxValueUnits {
			return ErrValueSize
		}
	}
	if nodes(l)*nodes(r) > maxPairs {
		return ErrValueSize
	}
	return nil
}

// repetition returns the operands of a text times a number.
func repetition(l, r any) (text string, times float64, ok bool) {
	if s, isText := l.(string); isText {
		n, isNumber := gojq.ToFloat64(r)
		return s, n, isNumber
	}
	if s, isText := r.(string); isText {
		n, isNumber := gojq.ToFloat64(l)
		return s, n, isNumber
	}
	return "", 0, false
}

// nodes counts the values that a value is made of; values are bounded where they are made.
func nodes(value any) int {
	n := 1
	switch value := value.(type) {
	case []any:
		for _, v := range value {
			n += nodes(v)
		}
	case map[string]any:
		for _, v := range value {
			n += nodes(v)
		}
	}
	return n
}

// selectors are the functions that hand on what they are given, or yield a boolean; they may stand in a path.
var selectors = []string{
	"all", "any", "arrays", "booleans", "empty", "endswith", "error", "finites", "first", "getpath", "has", "in", "isempty",
	"isfinite", "isinfinite", "isnan", "isnormal", "iterables", "last", "length", "limit", "not", "normals", "nth",
	"nulls", "numbers", "objects", "path", "paths", "range", "recurse", "repeat", "scalars", "select", "skip",
	"startswith", "strings", "test", "type", "until", "utf8bytelength", "values", "while",
}

// producers are the functions that make new values; their results are measured.
var producers = []string{
	"abs", "acos", "add", "ascii_downcase", "ascii_upcase", "asin", "atan", "atan2", "bsearch", "capture", "cbrt", "ceil",
	"combinations", "cos", "del", "delpaths", "exp", "exp10", "exp2", "explode", "fabs", "flatten", "floor", "fmod",
	"from_entries", "fromdate", "fromdateiso8601", "fromjson", "gmtime", "group_by", "gsub", "hypot", "implode", "keys",
	"keys_unsorted", "log", "log10", "log2", "ltrim", "ltrimstr", "map", "map_values", "match", "max", "max_by", "min",
	"min_by", "mktime", "pow", "reverse", "round", "rtrim", "rtrimstr", "scan", "sin", "sort", "sort_by", "split", "splits",
	"sqrt", "strftime", "strptime", "sub", "tan", "to_entries", "toboolean", "todate", "todateiso8601", "tojson",
	"tonumber", "tostring", "trim", "trimstr", "trunc", "unique", "unique_by", "with_entries",
}

// searching are the functions that hold each part of their input against each part of their argument.
var searching = []string{"contains", "index", "indices", "inside", "join", "rindex"}

// confineQuery rewrites a query so that it can only compute, within limits. It refuses assignments (a path can
// name an array's billionth place), definitions and modules, and every function that is not on a list; it measures
// what constructors, operators and functions make; and it looks at the operands before an operation whose cost
// is a product. The error is ErrQuery, and names what is refused.
func confineQuery(q *gojq.Query) error {
	if q == nil {
		return nil
	}
	if len(q.FuncDefs) > 0 || len(q.Imports) > 0 || q.Meta != nil {
		return fmt.Errorf("%w: it has a definition or a module", ErrQuery)
	}
	for _, p := range q.Patterns {
		if err := confinePattern(p); err != nil {
			return err
		}
	}
	if q.Term != nil {
		return confineTerm(q.Term)
	}
	if q.Op >= gojq.OpAssign {
		return fmt.Errorf("%w: it has an assignment", ErrQuery)
	}
	if err := confineAll(q.Left, q.Right); err != nil {
		return err
	}
	if q.Op == gojq.OpMul || q.Op == gojq.OpSub {
		product := &gojq.Query{Left: variableTerm("$__l"), Op: q.Op, Right: variableTerm("$__r")}
		guarded := pipe(guardCall(guardPairs, variableTerm("$__l"), variableTerm("$__r")), pipe(product, guardCall(guardBounded)))
		// jq evaluates the right operand first.
		*q = *bind("$__r", q.Right, bind("$__l", q.Left, guarded))
	}
	if q.Op == gojq.OpAdd {
		sum := *q
		*q = *pipe(&sum, guardCall(guardBounded))
	}
	return nil
}

// confineAll confines several queries; nil ones are none.
func confineAll(queries ...*gojq.Query) error {
	for _, q := range queries {
		if err := confineQuery(q); err != nil {
			return err
		}
	}
	return nil
}

// confineTerm confines a term and what follows it.
func confineTerm(t *gojq.Term) error {
	for _, s := range t.SuffixList {
		if err := confineIndex(s.Index); err != nil {
			return err
		}
	}
	switch t.Type {
	case gojq.TermTypeIndex:
		return confineIndex(t.Index)
	case gojq.TermTypeFunc:
		return confineCall(t)
	case gojq.TermTypeArray:
		if err := confineQuery(t.Array.Query); err != nil {
			return err
		}
		measured(t)
	case gojq.TermTypeObject:
		for _, kv := range t.Object.KeyVals {
			if err := confineString(kv.KeyString); err != nil {
				return err
			}
			if err := confineAll(kv.KeyQuery, kv.Val); err != nil {
				return err
			}
		}
		measured(t)
	case gojq.TermTypeString, gojq.TermTypeFormat:
		if err := confineString(t.Str); err != nil {
			return err
		}
		measured(t)
	case gojq.TermTypeUnary:
		return confineTerm(t.Unary.Term)
	case gojq.TermTypeIf:
		for _, elif := range t.If.Elif {
			if err := confineAll(elif.Cond, elif.Then); err != nil {
				return err
			}
		}
		return confineAll(t.If.Cond, t.If.Then, t.If.Else)
	case gojq.TermTypeTry:
		return confineAll(t.Try.Body, t.Try.Catch)
	case gojq.TermTypeReduce:
		return confineFold(t.Reduce.Patterns, t.Reduce.Query, t.Reduce.Start, t.Reduce.Update)
	case gojq.TermTypeForeach:
		return confineFold(t.Foreach.Patterns, t.Foreach.Query, t.Foreach.Start, t.Foreach.Update, t.Foreach.Extract)
	case gojq.TermTypeLabel:
		return confineQuery(t.Label.Body)
	case gojq.TermTypeQuery:
		return confineQuery(t.Query)
	case gojq.TermTypeIdentity, gojq.TermTypeRecurse, gojq.TermTypeNull, gojq.TermTypeTrue, gojq.TermTypeFalse,
		gojq.TermTypeNumber, gojq.TermTypeBreak:
	}
	return nil
}

// confineCall confines a function call or a variable.
func confineCall(t *gojq.Term) error {
	f := t.Func
	if f.Name == "$ENV" || f.Name == "$__prog_args" {
		return fmt.Errorf("%w: there is no environment", ErrQuery)
	}
	if f.Name[0] == '$' {
		return nil
	}
	if err := confineAll(f.Args...); err != nil {
		return err
	}
	switch {
	case slices.Contains(selectors, f.Name):
		return nil
	case f.Name == "add" && len(f.Args) > 0:
		return fmt.Errorf("%w: write [f] | add for add(f)", ErrQuery)
	case slices.Contains(producers, f.Name):
		measured(t)
		return nil
	case f.Name == "walk" && len(f.Args) == 1: // hands its argument what it has just built
		f.Args[0] = pipe(guardCall(guardBounded), f.Args[0])
		measured(t)
		return nil
	case slices.Contains(searching, f.Name) && len(f.Args) == 1:
		suffixes := t.SuffixList
		call := &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: f.Name, Args: []*gojq.Query{variableTerm("$__r")}}}}
		identity := &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeIdentity}}
		guarded := pipe(guardCall(guardPairs, identity, variableTerm("$__r")), pipe(call, guardCall(guardBounded)))
		*t = gojq.Term{Type: gojq.TermTypeQuery, Query: bind("$__r", f.Args[0], guarded), SuffixList: suffixes}
		return nil
	}
	return fmt.Errorf("%w: the function %.32s is not available", ErrQuery, f.Name)
}

// confineFold confines the parts of reduce and foreach.
func confineFold(patterns []*gojq.Pattern, queries ...*gojq.Query) error {
	for _, p := range patterns {
		if err := confinePattern(p); err != nil {
			return err
		}
	}
	return confineAll(queries...)
}

// confinePattern confines what a destructuring pattern computes.
func confinePattern(p *gojq.Pattern) error {
	if p == nil {
		return nil
	}
	for _, element := range p.Array {
		if err := confinePattern(element); err != nil {
			return err
		}
	}
	for _, member := range p.Object {
		if err := confineString(member.KeyString); err != nil {
			return err
		}
		if err := confineQuery(member.KeyQuery); err != nil {
			return err
		}
		if err := confinePattern(member.Val); err != nil {
			return err
		}
	}
	return nil
}

// confineString confines what is interpolated.
func confineString(s *gojq.String) error {
	if s == nil {
		return nil
	}
	return confineAll(s.Queries...)
}

// confineIndex confines an index or a slice.
func confineIndex(i *gojq.Index) error {
	if i == nil {
		return nil
	}
	if err := confineString(i.Str); err != nil {
		return err
	}
	return confineAll(i.Start, i.End)
}

// measured makes a term's values pass the measure before its suffixes apply.
func measured(t *gojq.Term) {
	bare := *t
	bare.SuffixList = nil
	*t = gojq.Term{
		Type: gojq.TermTypeQuery, Query: pipe(&gojq.Query{Term: &bare}, guardCall(guardBounded)), SuffixList: t.SuffixList,
	}
}

// pipe returns left | right.
func pipe(left, right *gojq.Query) *gojq.Query {
	return &gojq.Query{Left: left, Op: gojq.OpPipe, Right: right}
}

// bind returns source as name | body.
func bind(name string, source, body *gojq.Query) *gojq.Query {
	term := &gojq.Term{Type: gojq.TermTypeQuery, Query: source}
	return &gojq.Query{
		Left: &gojq.Query{Term: term}, Op: gojq.OpPipe, Right: body, Patterns: []*gojq.Pattern{{Name: name}},
	}
}

// variableTerm returns a query that is a variable.
func variableTerm(name string) *gojq.Query {
	return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: name}}}
}

// guardCall returns a call of a guard.
func guardCall(name string, args ...*gojq.Query) *gojq.Query {
	return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: name, Args: args}}}
}
