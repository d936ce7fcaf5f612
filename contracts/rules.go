package contracts

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-playground/validator/v10"
)

// rule is one row of the rules table: what a `validate` tag means.
type rule struct {
	// tag is the name in the tag, before its argument.
	tag  string
	code Code
	// message is the detail of a problem; {name} stands for a param.
	message string
	// shapes are the values that the rule may stand on.
	shapes []shape
	// values parses the argument into params, which are {} where the rule has none.
	values func(arg string) (params, error)
	// pattern is an expression that a text must match, in the syntax that RE2 and ECMA-262 share.
	pattern string
	// matches judges a text by the rules that look at nothing else; nil for the others.
	matches func(text string) bool
	// check judges a value; nil for the rules that the validator has, and for those on JSON Schemas.
	check validator.Func
	// builtin says that the validator knows the tag itself.
	builtin bool
	// schema returns the JSON Schema keywords that say the same of a value of shape s.
	schema func(s shape, values params) map[string]any
}

// fits reports whether the rule may stand on a value of shape s.
func (r *rule) fits(s shape) bool {
	return slices.Contains(r.shapes, s)
}

// The patterns of texts. They are anchored, and each bounds the length.
const (
	// identPattern is a name that people choose and expressions quote.
	identPattern = `^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`
	// handlePattern is an id that engines choose; it takes what the common model APIs produce.
	handlePattern     = `^[A-Za-z0-9_][A-Za-z0-9_.:/+=@~-]{0,127}$`
	ulidPattern       = `[0-7][0-9a-hjkmnp-tv-z]{25}$`
	toolNamePattern   = `[a-zA-Z0-9_-]{1,64}`
	semverPattern     = `(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)(?:-(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?`
	digestPattern     = `^sha256:[0-9a-f]{64}$`
	jsonPointerSyntax = `(?:/(?:[^~/]|~[01])*)*`
	// uriCharacters are those of RFC 3986, section 2, escapes included.
	uriCharacters = `(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})`
	uriPattern    = `^[A-Za-z][A-Za-z0-9+.-]*:` + uriCharacters + `+$`
	mediaWord     = "[A-Za-z0-9!#$%&'*+.^_`|~-]+"
	mediaPattern  = `^` + mediaWord + `/` + mediaWord + `(?:[ \t]*;[ \t]*` + mediaWord + `=(?:` + mediaWord + `|"[^"\\]*"))*$`
	branchPattern = `^[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64}){0,15}$`
	// targetPattern takes pointers in their form for URI fragments (RFC 6901, section 6).
	targetPattern    = `^(?:output|usage|tool:` + toolNamePattern + `(?:@` + semverPattern + `)?)(?:#(?:/(?:[^~/%]|~[01]|%[0-9A-Fa-f]{2})*)*)?$`
	referencePattern = `^secret://[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*$`
	octetPattern     = `(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])`
	loopback         = `(?:localhost|127\.` + octetPattern + `\.` + octetPattern + `\.` + octetPattern + `|\[::1\])`
	hostPattern      = `(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:.]+\])`
	toolURLPattern   = `^(?:https://` + hostPattern + `|http://` + loopback + `)(?::[0-9]{1,5})?(?:[/?](?:[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?$`
	tracePattern     = `^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`
)

// rulesTable returns the one table of rules. Whatever a validate tag may say stands here: the code and message of its
// problem, and the keywords that say the same in a JSON Schema. (dive, keys, endkeys, omitempty and omitnil are not
// rules: they say where the rules apply.)
var rulesTable = sync.OnceValue(func() []*rule {
	numbers := []shape{shapeInteger, shapeNumber}
	texts := []shape{shapeText}
	return []*rule{
		{
			tag: "gte", code: CodeGte, message: "must be at least {min}", shapes: numbers, builtin: true,
			values: numberArg("min"), schema: sameValue("minimum", "min"),
		},
		{
			tag: "lte", code: CodeLte, message: "must be at most {max}", shapes: numbers, builtin: true,
			values: numberArg("max"), schema: sameValue("maximum", "max"),
		},
		{
			tag: "max", code: CodeMax, message: "must have at most {max} {unit}",
			shapes: []shape{shapeText, shapeList, shapeMap}, builtin: true, values: numberArg("max"),
			schema: func(s shape, v params) map[string]any {
				keywords := map[shape]string{shapeText: "maxLength", shapeList: "maxItems", shapeMap: "maxProperties"}
				return map[string]any{keywords[s]: v["max"]}
			},
		},
		{
			// In bytes of UTF-8; a schema can only bound the characters, which are never more.
			tag: "maxbytes", code: CodeMaxBytes, message: "must not be longer than {max} bytes of UTF-8", shapes: texts,
			values: numberArg("max"), schema: sameValue("maxLength", "max"),
			check: func(fl validator.FieldLevel) bool {
				limit, err := strconv.Atoi(fl.Param())
				return err == nil && len(fl.Field().String()) <= limit
			},
		},
		{
			tag: "oneof", code: CodeOneOf, message: "must be one of {values}",
			shapes: []shape{shapeText, shapeInteger}, builtin: true, values: choices,
			schema: func(s shape, v params) map[string]any { return map[string]any{"enum": enumOf(s, v)} },
		},
		{
			tag: "unique", code: CodeUnique, message: "must be unique in the list", shapes: []shape{shapeList},
			builtin: true, values: func(string) (params, error) { return params{}, nil },
			schema: func(_ shape, _ params) map[string]any { return map[string]any{"uniqueItems": true} },
		},
		patternRule("notblank", CodeNotBlank, "must hold more than white space", `[^\x09-\x0D\x20\x{0085}\x{00A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]`),
		patternRule("ident", CodeIdent, "must be 1 to 64 letters, digits, dots, dashes or underscores, not a dot or dash first", identPattern),
		patternRule("handle", CodeHandle, "must be an id of 1 to 128 ASCII characters without spaces, a letter, digit or underscore first", handlePattern),
		patternRule("runid", CodeRunID, `must be a run id: "run_" and a lowercase ULID`, `^`+runPrefix+ulidPattern),
		patternRule("approvalid", CodeApprovalID, `must be an approval id: "apr_" and a lowercase ULID`, `^`+approvalPrefix+ulidPattern),
		patternRule("toolname", CodeToolName, "must be 1 to 64 letters, digits, dashes or underscores", `^`+toolNamePattern+`$`),
		patternRule("toolref", CodeToolRef, "must be a tool's name or name@version", `^`+toolNamePattern+`(?:@`+semverPattern+`)?$`),
		patternRule("semver", CodeSemver, "must be a version by SemVer 2.0.0, such as 1.2.0", `^`+semverPattern+`$`),
		patternRule("digest", CodeDigest, `must be "sha256:" and 64 lowercase hexadecimal digits`, digestPattern),
		patternRule("uri", CodeURI, "must be an absolute URI (RFC 3986)", uriPattern),
		patternRule("mediatype", CodeMediaType, "must be a media type, such as text/plain", mediaPattern),
		patternRule("branch", CodeBranch, "must be a dotted path of 1 to 16 names, such as a.b; the root is left out", branchPattern),
		patternRule("target", CodeTarget, "must be output, usage or tool:NAME, each with an optional #/json/pointer", targetPattern),
		patternRule("pointer", CodePointer, "must be a JSON Pointer (RFC 6901)", `^`+jsonPointerSyntax+`$`),
		patternRule("secretref", CodeSecretRef, "must be a reference such as secret://vault/name, never a secret", referencePattern),
		patternRule("toolurl", CodeToolURL, "must be an https address, or http on this machine, without user name and fragment", toolURLPattern),
		traceparentRule(),
		{
			tag: "version", code: CodeSameVersion, message: "must be the version that the whole document is written in, {version}",
			shapes: []shape{shapeInteger}, values: func(arg string) (params, error) {
				n, err := versionArg(arg)
				return params{"version": n}, err
			},
			check: func(fl validator.FieldLevel) bool {
				n, err := versionArg(fl.Param())
				return err == nil && fl.Field().Int() == int64(n)
			},
			schema: func(_ shape, v params) map[string]any { return map[string]any{"const": v["version"]} },
		},
		schemaRule("jsonschema", CodeSchemaInvalid, schemaInvalidMessage),
		schemaRule("objectschema", CodeSchemaRoot, schemaRootMessage),
	}
})

// traceparentRule is the header of W3C Trace Context, section 3.2, version 00: neither id is all zeros.
func traceparentRule() *rule {
	const zeroTrace, zeroSpan = "-00000000000000000000000000000000-", "-0000000000000000-"
	r := patternRule("traceparent", CodeTraceparent, "must be a traceparent of W3C Trace Context, version 00", tracePattern)
	matches := r.matches
	r.matches = func(text string) bool {
		return matches(text) && !strings.Contains(text, zeroTrace) && !strings.Contains(text, zeroSpan)
	}
	r.schema = func(_ shape, _ params) map[string]any {
		return map[string]any{
			"pattern": tracePattern,
			"not":     map[string]any{"pattern": zeroTrace + "|" + zeroSpan},
		}
	}
	return r
}

// patternRule is a rule that a regular expression says in full.
func patternRule(tag string, code Code, message, pattern string) *rule {
	expression := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
	r := &rule{
		tag: tag, code: code, message: message, shapes: []shape{shapeText}, pattern: pattern,
		values:  noArg,
		matches: func(text string) bool { return expression().MatchString(text) },
		schema:  func(_ shape, _ params) map[string]any { return map[string]any{"pattern": ecmaPattern(pattern)} },
	}
	r.check = func(fl validator.FieldLevel) bool { return r.matches(fl.Field().String()) }
	return r
}

// ecmaPattern spells an expression as ECMA-262 does, which has no \x{…}. The table avoids \s, which means other
// characters there.
func ecmaPattern(pattern string) string {
	return regexp.MustCompile(`\\x\{([0-9A-F]{4})\}`).ReplaceAllString(pattern, `\u$1`)
}

// checkSchema is the check of the rules on JSON Schemas. It stands apart from the table because it needs the table's
// messages.
func checkSchema(object bool) validator.Func {
	return func(fl validator.FieldLevel) bool { return len(judgeSchema(fl.Field().Bytes(), object)) == 0 }
}

// schemaRule is a rule on a JSON Schema. What exactly is wrong in it is found by judgeSchema.
func schemaRule(tag string, code Code, message string) *rule {
	return &rule{
		tag: tag, code: code, message: message, shapes: []shape{shapeFree}, values: noArg,
		schema: func(_ shape, _ params) map[string]any {
			keywords := map[string]any{"$ref": "https://json-schema.org/draft/2020-12/schema"}
			if code == CodeSchemaRoot {
				keywords["type"] = "object"
				keywords["properties"] = map[string]any{"type": map[string]any{"const": "object"}}
				keywords["required"] = []string{"type"}
			}
			return keywords
		},
	}
}

// noArg is for rules without an argument.
func noArg(arg string) (params, error) {
	if arg != "" {
		return nil, errors.New("takes no argument")
	}
	return params{}, nil
}

// numberArg is for rules with one number, which params show under name.
func numberArg(name string) func(string) (params, error) {
	return func(arg string) (params, error) {
		n, err := strconv.ParseInt(arg, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("needs a whole number: %w", err)
		}
		return params{name: n}, nil
	}
}

// versionArg is for version, whose argument is left out where the struct is of the current one.
func versionArg(arg string) (int, error) {
	if arg == "" {
		return Version, nil
	}
	return strconv.Atoi(arg)
}

// choices is for oneof: params show the list.
func choices(arg string) (params, error) {
	values := strings.Fields(arg)
	if len(values) == 0 {
		return nil, errors.New("needs values")
	}
	return params{"values": values}, nil
}

// enumOf returns the values of oneof as JSON has them.
func enumOf(s shape, v params) []any {
	list, _ := v["values"].([]string)
	var enum []any
	for _, value := range list {
		if n, err := strconv.Atoi(value); s == shapeInteger && err == nil {
			enum = append(enum, n)
			continue
		}
		enum = append(enum, value)
	}
	return enum
}

// sameValue is a keyword whose value is a param.
func sameValue(keyword, param string) func(shape, params) map[string]any {
	return func(_ shape, v params) map[string]any { return map[string]any{keyword: v[param]} }
}

// rulesByTag indexes the table.
var rulesByTag = sync.OnceValue(func() map[string]*rule {
	byTag := make(map[string]*rule)
	for _, r := range rulesTable() {
		byTag[r.tag] = r
	}
	return byTag
})

// messages holds the detail of every code.
var messages = sync.OnceValue(func() map[Code]string {
	byCode := make(map[Code]string)
	for _, info := range Codes() {
		byCode[info.Code] = info.Detail
	}
	return byCode
})

// engine returns the validator with the rules of the table.
var engine = sync.OnceValue(func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	for _, r := range rulesTable() {
		if r.builtin {
			continue
		}
		check := r.check
		if check == nil {
			check = checkSchema(r.code == CodeSchemaRoot)
		}
		if err := v.RegisterValidation(r.tag, check); err != nil {
			panic(err) // a tag of the table is empty or reserved: no input leads here
		}
	}
	return v
})

// judge walks a value with its plan and records every rule that it breaks. The validator alone would stop at a
// field's first broken rule and at a broken container, and knows no JSON Pointers; so each rule is asked for on its
// own. Called only where something is wrong.
type judge struct {
	found   *findings
	lenient bool
}

func (j judge) object(p *plan, v reflect.Value, pointer string) {
	for i := range p.fields {
		f := &p.fields[i]
		at := appendMember(pointer, f.name)
		if f.node.shape == shapeBody {
			j.body(v.FieldByIndex(f.index), at)
			continue
		}
		if _, unknown := unknownBody(v); unknown && f.name == "type" && j.lenient {
			continue
		}
		j.value(&f.node, v.FieldByIndex(f.index), at)
	}
}

// unknownBody reports whether v is an event of a type that this version does not know.
func unknownBody(v reflect.Value) (UnknownData, bool) {
	ev, ok := reflect.TypeAssert[*RunEvent](v.Addr())
	if !ok {
		return UnknownData{}, false
	}
	data, ok := ev.Data.(UnknownData)
	return data, ok
}

// body judges the data of an event.
func (j judge) body(v reflect.Value, pointer string) {
	if v.IsNil() || v.Elem().Kind() != reflect.Pointer {
		return
	}
	data := v.Elem().Elem()
	if p, err := planOf(data.Type()); err == nil {
		j.object(p, data, pointer)
	}
}

func (j judge) value(n *node, v reflect.Value, pointer string) {
	if j.found.full() || j.found.unread(pointer) {
		return
	}
	if n.pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	if n.skipZero && !n.pointer && isAbsent(v) && !j.found.blank[pointer] {
		return
	}
	j.rules(n.rules, n, v, pointer)
	switch n.shape {
	case shapeObject:
		j.object(n.plan, v, pointer)
	case shapeList:
		for i := range v.Len() {
			j.value(n.elem, v.Index(i), appendIndex(pointer, i))
		}
	case shapeMap:
		keys := v.MapKeys() // in an order that is the same every time: what is found first is shown
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			at := appendMember(pointer, key.String())
			j.rules(n.keys, n, key, at)
			j.value(n.elem, v.MapIndex(key), at)
		}
	case shapeText, shapeBool, shapeInteger, shapeNumber, shapeTime, shapeFree, shapeAny, shapeBody:
	}
}

// isAbsent reports whether omitempty would take v for absent.
func isAbsent(v reflect.Value) bool {
	if kind := v.Kind(); kind == reflect.Slice || kind == reflect.Map {
		return v.IsNil()
	}
	return v.IsZero()
}

// rules asks the validator for each rule on its own.
func (j judge) rules(rules []tagRule, n *node, v reflect.Value, pointer string) {
	for _, r := range rules {
		if engine().Var(v.Interface(), r.tag) != nil {
			j.explain(r, n, v, pointer)
		}
	}
}

// explain records a broken rule as precisely as the rule allows.
func (j judge) explain(r tagRule, n *node, v reflect.Value, pointer string) {
	if r.code == CodeUnique {
		j.twice(n, r.arg, v, pointer)
		return
	}
	if n.shape == shapeFree {
		j.schema(r, v.Bytes(), pointer)
		return
	}
	values := r.params
	if r.code == CodeOneOf {
		values = withGuess(r, v)
	}
	j.found.add(pointer, r.code, values)
}

// withGuess adds the value that was likely meant to the params of a oneof.
func withGuess(r tagRule, v reflect.Value) params {
	if v.Kind() != reflect.String {
		return r.params
	}
	guess := nearest(v.String(), strings.Fields(r.arg))
	if guess == "" {
		return r.params
	}
	return params{"values": r.params["values"], "did_you_mean": guess}
}

// twice records each element of a list that stands in it before, by the named field or as a whole.
func (j judge) twice(n *node, sibling string, v reflect.Value, pointer string) {
	first := make(map[any]string)
	for i := range v.Len() {
		elem, at := v.Index(i), appendIndex(pointer, i)
		if sibling != "" {
			sf, _ := n.elem.typ.FieldByName(sibling)
			name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
			elem, at = elem.FieldByName(sibling), appendMember(at, name)
		}
		if j.found.unread(at) {
			continue
		}
		key := elem.Interface()
		if before, twice := first[key]; twice {
			j.found.add(at, CodeUnique, nil, before)
			continue
		}
		first[key] = at
	}
}

// schema records what exactly is wrong in a JSON Schema.
func (j judge) schema(r tagRule, raw []byte, pointer string) {
	for _, e := range judgeSchema(raw, r.code == CodeSchemaRoot) {
		j.found.add(pointer+strings.TrimPrefix(e.Pointer, rootPointer), e.Code, e.Params)
	}
}
