package contracts

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	v1 "axiom25/contracts/v1"
)

// crossRule is a rule that looks at more than one field of a struct, or at what a value means. The methods named
// crossCheck hold documents to it; here stands how people and schemas read it.
type crossRule struct {
	// says is the rule in words.
	says string
	// codes are those of its problems.
	codes []Code
	// schema returns schemas that say the same; nil where a schema cannot, and then UnsaidRules lists the codes.
	schema func(w *schemaWriter) []keywords
}

// crossRules is the one table of the rules that look at more than one field, by the struct that they belong to.
var crossRules = sync.OnceValue(func() map[reflect.Type][]crossRule {
	with := []Code{CodeRequiredWith, CodeOnlyWith}
	rules := map[reflect.Type][]crossRule{
		reflect.TypeFor[TaskSpec](): {
			{
				"Over the profile tight, `budget.reserve_tokens` needs `budget.on_exhausted` finalize.",
				[]Code{CodeReserveNeedsFinalize},
				says(when(has("profile", is(ProfileTight)), members("budget", keywords{
					{"dependentSchemas", keywords{{"reserve_tokens", has("on_exhausted", is(ExhaustedFinalize))}}},
				}), nil)),
			},
			targetsAllowed(),
		},
		reflect.TypeFor[Input](): {
			{
				"Exactly one of `text`, `data` and `uri` is present.",
				[]Code{CodeExactlyOne},
				says(keywords{{"oneOf", []keywords{required("text"), required("data"), required("uri")}}}),
			},
			{
				"`digest` is required with `uri`.",
				[]Code{CodeRequiredWith},
				says(keywords{{"dependentRequired", keywords{{"uri", []string{"digest"}}}}}),
			},
			{"`digest` is the digest of `text` or `data` where one of them is present.", []Code{CodeDigestMismatch}, nil},
		},
		reflect.TypeFor[Budget](): {
			{
				"`reserve_tokens` needs `on_exhausted` finalize, here or in the profile.",
				[]Code{CodeReserveNeedsFinalize},
				says(when(has("on_exhausted", is(ExhaustedStop)), without("reserve_tokens"), nil)),
			},
			{"`reserve_tokens` is less than `max_tokens`, once laid over the profile.", []Code{CodeReserveOverTokens}, nil},
			{"`max_active_ms` is at most `max_wall_ms`, once laid over the profile.", []Code{CodeActiveOverWall}, nil},
		},
		reflect.TypeFor[VerifyContract](): {
			someCheck(),
			{"`refuse_below` is at most `pass_at`.", []Code{CodeRefuseOverPass}, nil},
		},
		reflect.TypeFor[Assertion](): assertionCrossRules(),
		reflect.TypeFor[bounds](): {
			{"At least one of `min` and `max` is present.", []Code{CodeValueShape}, says(keywords{{"minProperties", 1}})},
		},
		reflect.TypeFor[Scorer](): scorerCrossRules(),
		reflect.TypeFor[ToolSpec](): {
			gateNever("trust", "reviewed", TrustReviewed, TrustTrusted, TrustBuiltin),
			moreAttempts(),
			{
				"`transport.type` builtin and `trust` builtin need each other, and `auth.type` none.",
				[]Code{CodeBuiltin, CodeOnlyWith},
				says(when(has("transport", has("type", is(TransportBuiltin))),
					all(has("trust", is(TrustBuiltin)), members("auth", members("type", is(AuthNone)))),
					members("trust", isNot(TrustBuiltin)))),
			},
		},
		reflect.TypeFor[Transport](): transportCrossRules(),
		reflect.TypeFor[Auth]():      authCrossRules(),
		reflect.TypeFor[RunEvent]():  {{"`data` is the struct that `type` names.", nil, eventBodies}},
		reflect.TypeFor[StatusData](): {{
			"`task_digest`, `limits`, `profile` and `backend` are required with state queued; they and `release`, `tools`, " +
				"`forked_from` and `traceparent` are only allowed with it.", with,
			says(when(has("state", is(StateQueued)),
				all(required("task_digest", "limits", "profile", "backend"), members("backend", notEmpty("minLength"))),
				all(without("task_digest", "limits", "profile", "release", "forked_from", "traceparent"),
					members("backend", empty("maxLength")), members("tools", empty("maxProperties"))))),
		}},
		reflect.TypeFor[Limits](): {
			{
				"`reserve_tokens` is 0 with `on_exhausted` stop.",
				[]Code{CodeReserveNeedsFinalize},
				says(when(has("on_exhausted", is(ExhaustedStop)), members("reserve_tokens", is(0)), nil)),
			},
			{"`reserve_tokens` is less than `max_tokens`.", []Code{CodeReserveOverTokens}, nil},
			{"`max_active_ms` is at most `max_wall_ms`.", []Code{CodeActiveOverWall}, nil},
		},
		reflect.TypeFor[ToolStartData](): {{
			"`approval` is required with, and only allowed with, gate ask.", with,
			says(when(has("gate", is(GateAsk)), required("approval"), without("approval"))),
		}},
		reflect.TypeFor[ApprovalData](): {{
			"`args` are required with, and only allowed with, decision edited.", with,
			says(when(has("decision", is(DecisionEdited)), required("args"), without("args"))),
		}},
		reflect.TypeFor[BudgetData](): {{
			"`dimension` is required with, and only allowed with, phase warn.", with,
			says(when(has("phase", is(BudgetWarn)), required("dimension"), without("dimension"))),
		}},
	}
	maps.Copy(rules, crossRulesOfV1())
	return rules
})

// crossRulesOfV1 are the rules of version 1, in its own names. They are those that its structs leave of the current ones,
// because crossCheck looks at what a document of version 1 becomes.
func crossRulesOfV1() map[reflect.Type][]crossRule {
	return map[reflect.Type][]crossRule{
		reflect.TypeFor[v1.TaskSpec]():       {targetsAllowed()},
		reflect.TypeFor[v1.VerifyContract](): {someCheck()},
		reflect.TypeFor[v1.Assertion]():      assertionCrossRules(),
		reflect.TypeFor[v1.Scorer]():         scorerCrossRules(),
		reflect.TypeFor[v1.ToolSpec]():       {gateNever("trust_level", "medium", "medium", "high"), moreAttempts()},
		reflect.TypeFor[v1.Transport]():      transportCrossRules(),
		reflect.TypeFor[v1.Auth]():           authCrossRules(),
	}
}

// targetsAllowed is a rule of a task.
func targetsAllowed() crossRule {
	return crossRule{"The tools that assertions look at are among `allowed_tools`.", []Code{CodeTargetNotAllowed}, nil}
}

// someCheck is a rule of a VerifyContract.
func someCheck() crossRule {
	return crossRule{
		"There is at least one assertion or scorer.",
		[]Code{CodeNoChecks},
		says(keywords{{"anyOf", []keywords{has("assertions", notEmpty("minItems")), has("scorers", notEmpty("minItems"))}}}),
	}
}

// scorerCrossRules are the rules of what each type of scorer takes.
func scorerCrossRules() []crossRule {
	with := []Code{CodeRequiredWith, CodeOnlyWith}
	return []crossRule{
		{
			"`rubric` is required with, and only allowed with, type rubric.", with,
			says(when(has("type", is(ScoreRubric)), has("rubric", notEmpty("minLength")), members("rubric", empty("maxLength")))),
		},
		{
			"`reference` is required with, and only allowed with, the types exact and similarity.", with,
			says(when(has("type", is(ScoreExact, ScoreSimilarity)), required("reference"), without("reference"))),
		},
		{
			"`labels` and `passing_labels` are required with, and only allowed with, type label.", with,
			says(when(has("type", is(ScoreLabel)),
				all(has("labels", notEmpty("minItems")), has("passing_labels", notEmpty("minItems"))),
				all(members("labels", empty("maxItems")), members("passing_labels", empty("maxItems"))))),
		},
		{"`passing_labels` are among `labels`.", []Code{CodePassingLabel}, nil},
	}
}

// gateNever is the rule of the gate that lets everything pass. trust is the member that says how far a tool is trusted,
// least its lowest level that is enough, and enough are those levels.
func gateNever[T any](trust, least string, enough ...T) crossRule {
	return crossRule{
		"`approval` never needs " + trust + " " + least + " or higher, and an effect other than destructive.",
		[]Code{CodeGateNever},
		says(when(has("approval", is(ApprovalNever)),
			all(has(trust, is(enough...)), members("effect", isNot(EffectDestructive))), nil)),
	}
}

// moreAttempts is the rule of calls that may be tried again.
func moreAttempts() crossRule {
	return crossRule{
		"`limits.max_attempts` above 1 needs effect read or an idempotent tool.",
		[]Code{CodeAttempts},
		says(when(has("limits", has("max_attempts", keywords{{"minimum", 2}})),
			keywords{{"anyOf", []keywords{has("effect", is(EffectRead)), has("idempotent", is(true))}}}, nil)),
	}
}

// transportCrossRules are the rules of where a tool is.
func transportCrossRules() []crossRule {
	return []crossRule{{
		"`url` is required with, and only allowed with, the types http and mcp.",
		[]Code{CodeRequiredWith, CodeOnlyWith},
		says(when(has("type", is(TransportHTTP, TransportMCP)), required("url"), without("url"))),
	}}
}

// authCrossRules are the rules of what each way to authenticate takes.
func authCrossRules() []crossRule {
	with := []Code{CodeRequiredWith, CodeOnlyWith}
	return []crossRule{
		{
			"`secret_ref` is required with, and only allowed with, a type other than none.", with,
			says(when(has("type", isNot(AuthNone)), required("secret_ref"), without("secret_ref"))),
		},
		{
			"`in` and `name` are required with, and only allowed with, type api_key.", with,
			says(when(has("type", is(AuthAPIKey)), required("in", "name"), without("in", "name"))),
		},
		{
			"`issuer` is required with, and it and `scopes` are only allowed with, the types oauth2 and oidc.", with,
			says(when(has("type", is(AuthOAuth2, AuthOIDC)), required("issuer"),
				all(without("issuer"), members("scopes", empty("maxItems"))))),
		},
	}
}

// assertionCrossRules are the rules of what each type of assertion takes: those of assertionRules, as schemas.
func assertionCrossRules() []crossRule {
	return []crossRule{
		{
			"`weight` is only allowed with severity should.",
			[]Code{CodeOnlyWith},
			says(when(has("severity", is(SeverityShould)), nil, without("weight"))),
		},
		{
			"What `target` may be follows the type: usage only for equals and usage_max, which looks at one count of it; " +
				"a tool without a pointer for tool_called; nothing for tool_sequence.",
			[]Code{CodeTargetType},
			assertionTargets,
		},
		{
			"The shape of `value` follows the type: any JSON (equals), a text that is not empty (contains), an RE2 " +
				"expression (matches), a JSON Schema (json_schema), {min, max} (length and, where present, tool_called), a " +
				"list of 1 to 64 tools (tool_sequence), {limit} (usage_max).",
			[]Code{CodeValueShape},
			assertionValues,
		},
		{"The expression of matches is one of RE2, of moderate size.", []Code{CodeValueRegexp}, nil},
		{"The schema of json_schema is sound and stays within its bounds.", schemaCodes(), nil},
		{"In {min, max}, `min` is at most `max`.", []Code{CodeValueMinOverMax}, nil},
	}
}

// schemaCodes are those of what can be wrong in a JSON Schema.
func schemaCodes() []Code {
	return []Code{CodeSchemaInvalid, CodeSchemaRef, CodeSchemaSize, CodeValueRegexp}
}

// assertionTargets says which targets an assertion's type takes. An absent one is output.
func assertionTargets(w *schemaWriter) []keywords {
	p, err := planOf(reflect.TypeFor[Usage]())
	if err != nil {
		w.err = err
		return nil
	}
	var counts []string
	for i := range p.fields {
		counts = append(counts, p.fields[i].name)
	}
	pattern := func(expression string) keywords { return keywords{{"pattern", expression}} }
	texts := is(AssertContains, AssertMatches, AssertJSONSchema, AssertLength)
	return []keywords{
		when(has("type", texts), members("target", pattern(`^(?:output|tool:)`)), nil),
		when(has("type", is(AssertToolCalled)), has("target", pattern(`^tool:[^#]*#?$`)), nil),
		when(has("type", is(AssertToolSequence)), members("target", pattern(`^output#?$`)), nil),
		when(has("type", is(AssertUsageMax)), has("target", pattern(`^usage#/(?:`+strings.Join(counts, "|")+`)$`)), nil),
	}
}

// assertionValues says which value an assertion's type takes.
func assertionValues(w *schemaWriter) []keywords {
	sequence, err := planOf(reflect.TypeFor[toolList]())
	if err != nil {
		w.err = err
		return nil
	}
	tools := w.value(&sequence.fields[sequence.byName["tools"]].node)
	tools = tools.with("minItems", 1)
	text := keywords{{"type", "string"}}
	return []keywords{
		when(has("type", is(AssertEquals)), required("value"), nil),
		when(has("type", is(AssertContains)), has("value", all(text, notEmpty("minLength"))), nil),
		when(has("type", is(AssertMatches)), has("value", text), nil),
		when(has("type", is(AssertJSONSchema)), has("value", keywords{{"$ref", draft2020}}), nil),
		when(has("type", is(AssertLength)), has("value", w.refTo(reflect.TypeFor[bounds]())), nil),
		when(has("type", is(AssertToolCalled)), members("value", w.refTo(reflect.TypeFor[bounds]())), nil),
		when(has("type", is(AssertToolSequence)), has("value", tools), nil),
		when(has("type", is(AssertUsageMax)), has("value", w.refTo(reflect.TypeFor[usageLimit]())), nil),
	}
}

// eventBodies says which struct the data of each type of event is.
func eventBodies(w *schemaWriter) []keywords {
	var list []keywords
	for _, t := range eventTypes() {
		list = append(list, when(has("type", is(t)), members("data", w.refTo(bodyType(t))), nil))
	}
	return list
}

// eventTypes returns the types of events in the order in which their rule lists them.
func eventTypes() []EventType {
	p, err := planOf(reflect.TypeFor[RunEvent]())
	if err != nil {
		return nil
	}
	var types []EventType
	for _, r := range p.fields[p.byName["type"]].node.rules {
		for name := range strings.FieldsSeq(r.arg) {
			types = append(types, EventType(name))
		}
	}
	return types
}

// bodyType returns the struct that the data of an event is read as.
func bodyType(t EventType) reflect.Type { return reflect.TypeOf(newEventData(t)).Elem() }

// says returns schemas that need nothing of the writer.
func says(schemas ...keywords) func(*schemaWriter) []keywords {
	return func(*schemaWriter) []keywords { return schemas }
}

// when says then where a schema holds and otherwise where it does not; nil says nothing.
func when(schema, then, otherwise keywords) keywords {
	k := keywords{{"if", schema}}
	if then != nil {
		k = k.with("then", then)
	}
	if otherwise != nil {
		k = k.with("else", otherwise)
	}
	return k
}

// has says that a member is present and obeys a schema.
func has(name string, schema keywords) keywords { return all(members(name, schema), required(name)) }

// members says that a member, where it is present, obeys a schema.
func members(name string, schema keywords) keywords {
	return keywords{{"properties", keywords{{name, schema}}}}
}

// required says that members are present.
func required(names ...string) keywords { return keywords{{"required", names}} }

// without says that members are absent.
func without(names ...string) keywords {
	var absent keywords
	for _, name := range names {
		absent = absent.with(name, false)
	}
	return keywords{{"properties", absent}}
}

// is says that a value is one of these.
func is[T any](values ...T) keywords {
	if len(values) == 1 {
		return keywords{{"const", values[0]}}
	}
	return keywords{{"enum", values}}
}

// isNot says that a value is not this one.
func isNot(value any) keywords { return keywords{{"not", is(value)}} }

// notEmpty and empty say so of a text, a list or a map: the keyword tells which.
func notEmpty(keyword string) keywords { return keywords{{keyword, 1}} }
func empty(keyword string) keywords    { return keywords{{keyword, 0}} }

// all says what several schemas say, whose keywords differ but for properties.
func all(schemas ...keywords) keywords {
	var k keywords
	for _, schema := range schemas {
		for _, member := range schema {
			i := slices.IndexFunc(k, func(m keyword) bool { return m.name == member.name })
			if i < 0 {
				k = append(k, member)
				continue
			}
			switch before := k[i].value.(type) {
			case keywords:
				if more, ok := member.value.(keywords); ok {
					k[i].value = slices.Concat(before, more)
				}
			case []string:
				if more, ok := member.value.([]string); ok {
					k[i].value = slices.Concat(before, more)
				}
			}
		}
	}
	return k
}

// UnsaidRule is a rule that a JSON Schema cannot say, so that only Validate holds documents to it.
type UnsaidRule struct {
	// Code is that of the problems of a document that breaks the rule.
	Code Code
	// Why says what keeps a schema from saying it.
	Why string
}

// UnsaidRules returns the closed list of rules that the schemas do not say, ordered by code. A document that obeys
// its schema and is refused all the same breaks only rules of this list.
func UnsaidRules() []UnsaidRule {
	const (
		bytesOnly = "a schema looks at what a document says, not at its bytes"
		compares  = "a schema cannot compare two members"
		computes  = "a schema cannot compute"
		laid      = "a schema cannot compare two members, one of which may come from the profile"
		within    = "a schema cannot look for a value in another member"
		meta      = "the meta-schema does not say it of the schemas in a document"
	)
	list := []UnsaidRule{
		{CodeSyntax, bytesOnly},
		{CodeEncoding, bytesOnly},
		{CodeTrailing, bytesOnly},
		{CodeSize, bytesOnly},
		{CodeDuplicateKey, bytesOnly},
		{CodeNumber, "a schema looks at the number that is meant, not at how IEEE 754 holds it"},
		{CodeDepth, "a schema cannot bound the depth of free JSON"},
		{CodeUnknownField, "those who read events ignore what they do not know, and so does the schema of RunEvent, the only one: a later server may say more"},
		{CodeUnique, "uniqueItems compares whole elements; lists that are unique by a member of their elements are not said"},
		{CodeDigestMismatch, computes},
		{CodeActiveOverWall, laid},
		{CodeReserveOverTokens, laid},
		{CodeRefuseOverPass, compares},
		{CodeValueMinOverMax, compares},
		{CodePassingLabel, within},
		{CodeTargetNotAllowed, within},
		{CodeValueRegexp, "format regex means another language than RE2, and says nothing of the size"},
		{CodeSchemaInvalid, meta + ": which $schema it names, and whether its references resolve"},
		{CodeSchemaRef, meta},
		{CodeSchemaSize, meta},
	}
	slices.SortFunc(list, func(a, b UnsaidRule) int { return strings.Compare(string(a.Code), string(b.Code)) })
	return list
}

// CodesOf returns the rows of Codes that a document of contract k can have, in their order, or ErrUnknownKind.
func CodesOf(k Kind) ([]CodeInfo, error) { return CodesIn(k, Version) }

// CodesIn is CodesOf for a document of a version, one of SchemaVersions.
func CodesIn(k Kind, version int) ([]CodeInfo, error) {
	root, err := planOfKindIn(k, version)
	if err != nil {
		return nil, err
	}
	codes := map[Code]bool{
		CodeSyntax: true, CodeEncoding: true, CodeTrailing: true, CodeSize: true, CodeDepth: true, CodeVersion: true,
		CodeRequired: true, CodeUnknownField: true, CodeDuplicateKey: true,
	}
	reach(root, codes, make(map[reflect.Type]bool))
	var list []CodeInfo
	for _, info := range Codes() {
		if codes[info.Code] {
			list = append(list, info)
		}
	}
	return list, nil
}

// reach adds the codes of a struct and of what it holds.
func reach(p *plan, codes map[Code]bool, seen map[reflect.Type]bool) {
	if seen[p.typ] {
		return
	}
	seen[p.typ] = true
	for _, r := range crossRules()[p.typ] {
		for _, code := range r.codes {
			codes[code] = true
		}
	}
	for i := range p.fields {
		reachValue(&p.fields[i].node, codes, seen)
	}
}

// reachValue adds the codes of a value.
func reachValue(n *node, codes map[Code]bool, seen map[reflect.Type]bool) {
	free := n.shape == shapeFree || n.shape == shapeAny
	codes[CodeType], codes[CodeNull] = true, codes[CodeNull] || !free
	for _, r := range slices.Concat(n.rules, n.keys) {
		codes[r.code] = true
	}
	switch n.shape {
	case shapeInteger:
		codes[CodeInteger] = true
	case shapeNumber, shapeFree, shapeAny:
		codes[CodeNumber] = true
	case shapeTime:
		codes[CodeTime] = true
	case shapeObject:
		reach(n.plan, codes, seen)
	case shapeBody:
		for _, t := range eventTypes() {
			if p, err := planOf(bodyType(t)); err == nil {
				reach(p, codes, seen)
			}
		}
	case shapeText, shapeBool, shapeList, shapeMap:
	}
	if n.elem != nil {
		reachValue(n.elem, codes, seen)
	}
	if slices.ContainsFunc(n.rules, func(r tagRule) bool { return r.code == CodeSchemaInvalid || r.code == CodeSchemaRoot }) {
		for _, code := range schemaCodes() {
			codes[code] = true
		}
	}
}
