package contracts

import (
	"fmt"
	"slices"
	"strings"
)

// The codes of what the bytes of a document can get wrong.
const (
	CodeSyntax       Code = "syntax"
	CodeEncoding     Code = "encoding"
	CodeTrailing     Code = "trailing_bytes"
	CodeDepth        Code = "depth"
	CodeSize         Code = "size"
	CodeBatch        Code = "batch"
	CodeVersion      Code = "unsupported_version"
	CodeVersionLoss  Code = "version_loss"
	CodeRequired     Code = "required"
	CodeUnknownField Code = "unknown_field"
	CodeDuplicateKey Code = "duplicate_key"
	CodeNull         Code = "null"
	CodeType         Code = "type"
	CodeInteger      Code = "integer"
	CodeNumber       Code = "number"
	CodeTime         Code = "time"
)

// The codes of the rules that a `validate` tag states; the rules table holds one row for each.
const (
	CodeGte         Code = "rule.gte"
	CodeLte         Code = "rule.lte"
	CodeMax         Code = "rule.max"
	CodeMaxBytes    Code = "rule.maxbytes"
	CodeOneOf       Code = "rule.oneof"
	CodeUnique      Code = "rule.unique"
	CodeNotBlank    Code = "rule.notblank"
	CodeIdent       Code = "rule.ident"
	CodeHandle      Code = "rule.handle"
	CodeRunID       Code = "rule.runid"
	CodeApprovalID  Code = "rule.approvalid"
	CodeToolName    Code = "rule.toolname"
	CodeToolRef     Code = "rule.toolref"
	CodeSemver      Code = "rule.semver"
	CodeDigest      Code = "rule.digest"
	CodeURI         Code = "rule.uri"
	CodeMediaType   Code = "rule.mediatype"
	CodeBranch      Code = "rule.branch"
	CodeTarget      Code = "rule.target"
	CodePointer     Code = "rule.pointer"
	CodeSecretRef   Code = "rule.secretref"
	CodeToolURL     Code = "rule.toolurl"
	CodeTraceparent Code = "rule.traceparent"
	CodeSameVersion Code = "rule.version"
)

// The codes of the rules that look at more than one field.
const (
	CodeExactlyOne           Code = "exactly_one"
	CodeRequiredWith         Code = "required_with"
	CodeOnlyWith             Code = "only_with"
	CodeDigestMismatch       Code = "digest.mismatch"
	CodeActiveOverWall       Code = "budget.active_over_wall"
	CodeReserveNeedsFinalize Code = "budget.reserve_needs_finalize"
	CodeReserveOverTokens    Code = "budget.reserve_over_tokens"
	CodeOverCeiling          Code = "budget.over_ceiling"
	CodeNoChecks             Code = "verify.no_checks"
	CodeRefuseOverPass       Code = "verify.refuse_over_pass"
	CodePassingLabel         Code = "verify.passing_label"
	CodeValueShape           Code = "value.shape"
	CodeValueRegexp          Code = "value.regexp"
	CodeValueMinOverMax      Code = "value.min_over_max"
	CodeTargetType           Code = "target.type"
	CodeTargetNotAllowed     Code = "target.not_allowed"
	CodeSchemaInvalid        Code = "schema.invalid"
	CodeSchemaRef            Code = "schema.ref"
	CodeSchemaRoot           Code = "schema.root"
	CodeSchemaSize           Code = "schema.size"
	CodeSchemaMismatch       Code = "schema.mismatch"
	CodeSchemaSteps          Code = "schema.steps"
	CodeGateNever            Code = "tool.gate_never"
	CodeAttempts             Code = "tool.attempts"
	CodeBuiltin              Code = "tool.builtin"
	CodeToolUnknown          Code = "tool.unknown"
)

// The codes of what a task asks for that the server or its engine does not have.
const (
	CodeEngineUnknown     Code = "engine.unknown"
	CodeEngineUnavailable Code = "engine.unavailable"
	CodeEngineNeeds       Code = "engine.needs"
	CodeEngineTransport   Code = "engine.transport"
	CodeEngineJudge       Code = "engine.judge"
	CodeToolReserved      Code = "tool.reserved"
)

// The codes of what is wrong in the plan of the local engine.
const (
	CodePlanMissing   Code = "plan.missing"
	CodePlanStep      Code = "plan.step"
	CodePlanReference Code = "plan.reference"
	CodePlanCycle     Code = "plan.cycle"
	CodePlanTemplate  Code = "plan.template"
	CodePlanSensitive Code = "plan.sensitive"
)

// The codes of what a sound request gets wrong about its run.
const (
	CodeInvariant      Code = "run.invariant"
	CodeAnswerMismatch Code = "run.answer_mismatch"
	CodeHidden         Code = "run.hidden"
)

// The messages of the rules on JSON Schemas, which the codes of what is wrong in one share.
const (
	schemaInvalidMessage = "is not a valid JSON Schema (2020-12): {keyword}"
	schemaRootMessage    = "the schema's root must be of type object"
)

// CodeInfo is one row of the closed list of codes.
type CodeInfo struct {
	// Code is what a program tells problems apart by.
	Code Code
	// Detail is the message; {name} stands for the param of that name.
	Detail string
}

// Codes returns the closed list of codes with their messages, ordered by code.
func Codes() []CodeInfo {
	list := []CodeInfo{
		{CodeSyntax, "is not JSON (RFC 8259)"},
		{CodeEncoding, "a text must be valid UTF-8, without unpaired surrogates"},
		{CodeTrailing, "nothing may follow the document"},
		{CodeDepth, "must not be nested deeper than {max} levels"},
		{CodeSize, "must not be larger than {max} bytes"},
		{CodeBatch, "must hold between 1 and {max} events"},
		{CodeVersion, "must be one of the supported versions"},
		{CodeVersionLoss, "version {version} cannot say this: {reason}"},
		{CodeTime, "must be RFC 3339 in UTC with milliseconds, as in 2026-01-02T03:04:05.678Z"},
		{CodeRequired, "is required"},
		{CodeUnknownField, "unknown field"},
		{CodeDuplicateKey, "the name occurs twice in the object"},
		{CodeNull, "must not be null; leave the field out"},
		{CodeType, "must be of type {type}"},
		{CodeInteger, "must be a whole number within ±(2^53−1)"},
		{CodeNumber, "must be a number that IEEE 754 double precision holds exactly"},

		{CodeExactlyOne, "exactly one of {fields} is required"},
		{CodeRequiredWith, "is required with {with}"},
		{CodeOnlyWith, "is only allowed with {with}"},
		{CodeDigestMismatch, "is not the digest of the content"},
		{CodeActiveOverWall, "max_active_ms must be at most max_wall_ms, which is {max} here"},
		{CodeReserveNeedsFinalize, "a reserve is only kept back with on_exhausted finalize"},
		{CodeReserveOverTokens, "reserve_tokens must be less than max_tokens, which is {max} here"},
		{CodeOverCeiling, "must be at most {max} on this server"},
		{CodeNoChecks, "needs at least one assertion or scorer"},
		{CodeRefuseOverPass, "must be at most pass_at, which is {max} here"},
		{CodePassingLabel, "must be one of the labels"},
		{CodeValueShape, "the value of a {type} assertion must be {shape}"},
		{CodeValueRegexp, "must be an RE2 expression of moderate size"},
		{CodeValueMinOverMax, "min must be at most max"},
		{CodeTargetType, "a {type} assertion looks at {targets}"},
		{CodeTargetNotAllowed, "the tool must be among allowed_tools"},
		{CodeSchemaRef, "a reference must stay within the schema: it begins with #"},
		{CodeSchemaSize, "the schema must not be larger than {max} bytes"},
		{CodeSchemaMismatch, "does not conform to the schema: {keyword}"},
		{CodeSchemaSteps, "the schema takes more than {max} steps to hold against this value"},
		{CodeGateNever, "never needs trust reviewed or higher, and an effect other than destructive"},
		{CodeAttempts, "more than one attempt needs effect read or an idempotent tool"},
		{CodeBuiltin, "transport builtin and trust builtin need each other"},
		{CodeToolUnknown, "this server has no such tool"},

		{CodeEngineUnknown, "this server has no such engine"},
		{CodeEngineUnavailable, "the engine is not available now"},
		{CodeEngineNeeds, "no engine of the task's choice can do this"},
		{CodeEngineTransport, "the engine of this task cannot call tools of this transport"},
		{CodeEngineJudge, "this server has no engine that judges"},
		{CodeToolReserved, "is reserved for the tools that are part of the server"},

		{CodePlanMissing, "the local engine carries out a plan: an input named plan with data that is not sensitive"},
		{CodePlanStep, "must be 1 to 64 letters, digits, dashes or underscores, not a dash first"},
		{CodePlanReference, "cannot be resolved: {reason}"},
		{CodePlanCycle, "the step waits for its own output"},
		{CodePlanTemplate, "is not a template: {reason}"},
		{CodePlanSensitive, "an answer is shown; it cannot take from a sensitive input, nor from a step that does"},

		{CodeInvariant, "breaks invariant {invariant} of a run"},
		{CodeAnswerMismatch, "is not what was streamed"},
		{CodeHidden, "edited arguments must not touch what the tool or the task hides"},
	}
	for _, r := range rulesTable() {
		list = append(list, CodeInfo{r.code, r.message})
	}
	slices.SortFunc(list, func(a, b CodeInfo) int { return strings.Compare(string(a.Code), string(b.Code)) })
	return list
}

// params are the values of a broken rule, as FieldError shows them.
type params = map[string]any

// detail renders a code's message with its params. It is the same for equal codes and params.
func detail(code Code, values params) string {
	text := messages()[code]
	if !strings.Contains(text, "{") {
		return text
	}
	for name, value := range values {
		shown := fmt.Sprint(value)
		if list, ok := value.([]string); ok {
			shown = strings.Join(list, ", ")
		}
		text = strings.ReplaceAll(text, "{"+name+"}", shown)
	}
	return text
}
