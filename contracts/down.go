package contracts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	v1 "axiom25/contracts/v1"
)

// The functions named Down are the way back that a reader of version 1 needs: each writes as much of a value as version 1
// can say, and lists what it cannot. They are total: they take what breaks the rules as well. Where nothing is lost, Up
// makes the same value of the result, and what Up made of a valid document comes back as it was, with its defaults.

// EncodeIn writes one of the four inputs, to which v points, as a document of a version, 1 or the current one, defaults
// filled in. The error is always a *Problem: not-acceptable with the pointers to all that would be lost, or
// unsupported-schema-version where v has no such version.
func EncodeIn(version int, v any) ([]byte, error) {
	if version == Version {
		return Encode(v)
	}
	down, ok := downTo(version, v)
	if !ok {
		requested := int64(version)
		p := NewProblem(ProblemUnsupportedVersion, "nothing is written in this version")
		p.Requested, p.Supported = &requested, unit{}.supportedVersions(v)
		return nil, p
	}
	if len(down.lost) > 0 {
		return nil, lost(down.kind, version, down.lost)
	}
	doc, err := Encode(down.old)
	if err != nil {
		return nil, NewProblem(ProblemInternal, err.Error())
	}
	// A document of version 1 has tighter bounds as a whole.
	if p, ok := errors.AsType[*Problem](Validate(down.kind, doc)); ok {
		return nil, lost(down.kind, version, p.Errors)
	}
	return doc, nil
}

// Downgrade rewrites a valid document to version 1 and says what it changed, as Migrate does the other way. Members
// stand in the order of the struct, defaults are filled in, and the result is compact. A document of version 1 is
// returned as it is, without changes. The error is ErrUnknownKind or a *Problem, as of Validate or as of EncodeIn.
func Downgrade(kind Kind, doc []byte) (out []byte, changes []Change, err error) {
	if err := Validate(kind, doc); err != nil {
		return nil, nil, err
	}
	if version, _, named := versionOf(doc); named && version == v1.Version {
		return doc, nil, nil
	}
	v, err := decodeKind(kind, doc)
	if err == nil {
		out, err = EncodeIn(v1.Version, v)
	}
	if err != nil {
		return nil, nil, err
	}
	_, changes, err = Migrate(kind, out)
	for i, c := range changes {
		changes[i] = Change{From: c.To, To: c.From, Detail: fmt.Sprintf("as version %d has it", v1.Version)}
	}
	return out, changes, err
}

// decodeKind reads a document of a contract that has a version 1.
func decodeKind(kind Kind, doc []byte) (any, error) {
	switch kind {
	case KindTaskSpec:
		return Decode[TaskSpec](doc)
	case KindBudget:
		return Decode[Budget](doc)
	case KindVerifyContract:
		return Decode[VerifyContract](doc)
	case KindToolSpec:
		return Decode[ToolSpec](doc)
	case KindRunEvent:
	}
	requested := int64(v1.Version)
	p := NewProblem(ProblemUnsupportedVersion, "nothing is written in this version")
	p.Requested, p.Supported = &requested, []int{Version}
	return nil, p
}

// downgraded is a value on its way to an older version.
type downgraded struct {
	kind Kind
	// old is the frozen struct.
	old  any
	lost []FieldError
}

// downTo writes the value that v points to in an older version.
func downTo(version int, v any) (downgraded, bool) {
	if version != v1.Version {
		return downgraded{}, false
	}
	switch v := v.(type) {
	case *TaskSpec:
		old, lost := DownTaskSpec(v)
		return downgraded{KindTaskSpec, old, lost}, true
	case *Budget:
		old, lost := DownBudget(v)
		return downgraded{KindBudget, old, lost}, true
	case *VerifyContract:
		old, lost := DownVerifyContract(v)
		return downgraded{KindVerifyContract, old, lost}, true
	case *ToolSpec:
		old, lost := DownToolSpec(v)
		return downgraded{KindToolSpec, old, lost}, true
	}
	return downgraded{}, false
}

// lost is the problem of a value that an older version cannot say in full.
func lost(kind Kind, version int, errs []FieldError) *Problem {
	truncated := len(errs) >= MaxFieldErrors
	p := NewProblem(ProblemNotAcceptable, countProblems(len(errs), truncated))
	p.Schema, p.Truncated, p.Errors = schemaNameIn(string(kind), version), &truncated, errs
	return p
}

// DownTaskSpec returns a task as version 1 writes it, and what is lost: at most MaxFieldErrors, sorted by pointer. The
// result shares memory with task.
func DownTaskSpec(task *TaskSpec) (old v1.TaskSpec, lost []FieldError) {
	old = v1.TaskSpec{
		SchemaVersion: v1.Version,
		Goal:          task.Goal,
		Profile:       string(task.Profile),
		Labels:        task.Labels,
	}
	var missing losses
	if task.Inputs != nil {
		old.Inputs = make(map[string]json.RawMessage, len(task.Inputs))
	}
	inputs := place{found: &missing.findings, pointer: rootPointer}.in("inputs")
	for i := range task.Inputs {
		in := &task.Inputs[i]
		if _, twice := old.Inputs[in.Name]; twice {
			missing.add(inputs.item(i).to("name"), lossOrder)
		}
		old.Inputs[in.Name] = missing.input(in, inputs.item(i))
	}
	if !slices.IsSortedFunc(task.Inputs, func(a, b Input) int { return strings.Compare(a.Name, b.Name) }) {
		missing.add(inputs.pointer, lossOrder)
	}
	if task.AllowedTools != nil {
		old.AllowedTools = make([]string, len(task.AllowedTools))
	}
	for i, ref := range task.AllowedTools {
		old.AllowedTools[i] = string(ref)
	}
	if len(task.Backend.Prefer) > 0 {
		old.BackendPref = task.Backend.Prefer[0]
	}
	if task.Budget != nil {
		budget := downBudget(task.Budget)
		old.Budget = &budget
	}
	if task.Verification != nil {
		contract := downVerifyContract(task.Verification)
		old.Verification = &contract
	}
	is := UpTaskSpec(&old)
	is.Inputs = task.Inputs // what of them is lost is listed
	missing.compare(task, &is)
	return old, missing.sorted()
}

// DownBudget returns a budget as version 1 writes it, and what is lost. The result shares memory with budget.
func DownBudget(budget *Budget) (old v1.Budget, lost []FieldError) {
	var missing losses
	old = downBudget(budget)
	is := UpBudget(&old)
	missing.compare(budget, &is)
	return old, missing.sorted()
}

func downBudget(budget *Budget) v1.Budget {
	old := v1.Budget{
		SchemaVersion: downVersion(budget.SchemaVersion),
		Tokens:        budget.MaxTokens,
		Width:         budget.BranchWidth,
		Reflection:    budget.ReflectionPasses,
	}
	if wall := budget.MaxWallMS; wall != nil && *wall%millisecondsPerSecond == 0 {
		seconds := *wall / millisecondsPerSecond
		old.TimeS = &seconds
	}
	return old
}

// downVersion keeps the version of an embedded contract absent.
func downVersion(current int) int {
	if current == 0 {
		return 0
	}
	return v1.Version
}

// DownVerifyContract returns a contract as version 1 writes it, and what is lost. The result shares memory with contract.
func DownVerifyContract(contract *VerifyContract) (old v1.VerifyContract, lost []FieldError) {
	var missing losses
	old = downVerifyContract(contract)
	is := UpVerifyContract(&old)
	missing.compare(contract, &is)
	return old, missing.sorted()
}

func downVerifyContract(contract *VerifyContract) v1.VerifyContract {
	old := v1.VerifyContract{
		SchemaVersion:    downVersion(contract.SchemaVersion),
		RefusalThreshold: contract.RefuseBelow,
	}
	if contract.Assertions != nil {
		old.Assertions = make([]v1.Assertion, len(contract.Assertions))
	}
	for i, a := range contract.Assertions {
		old.Assertions[i] = v1.Assertion{
			ID: a.ID, Type: string(a.Type), Target: string(a.Target), Value: a.Value, Negate: a.Negate,
			Severity: string(a.Severity), Weight: a.Weight,
		}
	}
	if contract.Scorers != nil {
		old.Scorers = make([]v1.Scorer, len(contract.Scorers))
	}
	for i, s := range contract.Scorers {
		old.Scorers[i] = v1.Scorer{
			ID: s.ID, Type: string(s.Type), Rubric: s.Rubric, Reference: s.Reference, Labels: s.Labels,
			PassingLabels: s.PassingLabels, Backend: s.Backend, Weight: s.Weight, Floor: s.Floor, Samples: s.Samples,
		}
	}
	return old
}

// DownToolSpec returns a tool as version 1 writes it, and what is lost. The result shares memory with tool.
func DownToolSpec(tool *ToolSpec) (old v1.ToolSpec, lost []FieldError) {
	old = v1.ToolSpec{
		SchemaVersion: v1.Version,
		Name:          tool.Name,
		Version:       tool.Version,
		Description:   tool.Description,
		InputSchema:   tool.InputSchema,
		OutputSchema:  tool.OutputSchema,
		Effect:        string(tool.Effect),
		Idempotent:    tool.Idempotent,
		OpenWorld:     tool.OpenWorld,
		Transport:     v1.Transport{Type: string(tool.Transport.Type), URL: tool.Transport.URL},
		Auth: v1.Auth{
			Type: string(tool.Auth.Type), SecretRef: tool.Auth.SecretRef, In: tool.Auth.In, Name: tool.Auth.Name,
			Issuer: tool.Auth.Issuer, Scopes: tool.Auth.Scopes,
		},
		TrustLevel: downTrust(tool.Trust),
		Approval:   string(tool.Approval),
		Limits: v1.ToolLimits{
			TimeoutMS: tool.Limits.TimeoutMS, MaxAttempts: tool.Limits.MaxAttempts, MaxResultBytes: tool.Limits.MaxResultBytes,
		},
		Redact: tool.Redact,
	}
	if tool.Transport.Type == TransportBuiltin {
		old.Transport.Type = string(TransportEngine)
	}
	var missing losses
	is := UpToolSpec(&old)
	missing.compare(tool, &is)
	return old, missing.sorted()
}

// downTrust returns the level that stands in the same place, the lowest where there is none.
func downTrust(trust Trust) string {
	for _, level := range []string{"medium", "high"} {
		if upTrust(level) == trust {
			return level
		}
	}
	return "low"
}

// Why version 1 cannot say something.
const (
	lossMember   = "it has no such member"
	lossOrder    = "its inputs have no order but that of their names"
	lossString   = "a string among its inputs is text"
	lossContent  = "its inputs hold their content"
	lossSeconds  = "it counts whole seconds"
	lossEngines  = "it prefers one engine"
	lossVerdict  = "it passes at 0.8 or, where that is more, at the refusal threshold"
	lossBuiltins = "it has no tools that are part of the server"
)

// losses are what an older version cannot say.
type losses struct{ findings }

// add records that the value at a pointer is lost.
func (l *losses) add(pointer, reason string) {
	l.findings.add(pointer, CodeVersionLoss, params{"version": v1.Version, "reason": reason})
}

// input returns an input as version 1 has it, and records what of it is lost.
func (l *losses) input(in *Input, at place) json.RawMessage {
	for _, member := range []struct {
		name   string
		lost   bool
		reason string
	}{
		{"media_type", in.MediaType != "", lossMember},
		{"digest", in.Digest != "", lossMember},
		{"sensitive", in.Sensitive, lossMember},
		{"uri", in.URI != "", lossContent},
		{"data", in.Data != nil && in.Text != nil, lossContent},
		{"data", in.Text == nil && isJSON(in.Data, '"'), lossString},
	} {
		if member.lost {
			l.add(at.to(member.name), member.reason)
		}
	}
	if in.Text == nil {
		return in.Data
	}
	text, err := Encode(*in.Text)
	if err != nil || !utf8.ValidString(*in.Text) { // which no document has
		l.add(at.to("text"), lossMember)
	}
	return text
}

// compare records where the struct that was points to differs from the one that came back.
func (l *losses) compare(was, is any) {
	before, after := reflect.ValueOf(was).Elem(), reflect.ValueOf(is).Elem()
	p, err := planOf(before.Type())
	if err != nil {
		l.add(rootPointer, err.Error())
		return
	}
	l.object(p, before, after, rootPointer)
}

func (l *losses) object(p *plan, was, is reflect.Value, pointer string) {
	for i := range p.fields {
		f := &p.fields[i]
		if f.name == versionField {
			continue
		}
		l.value(&f.node, was.FieldByIndex(f.index), is.FieldByIndex(f.index), appendMember(pointer, f.name), lossOf(p, f.name))
	}
}

func (l *losses) value(n *node, was, is reflect.Value, pointer, reason string) {
	if n.pointer && !was.IsNil() && !is.IsNil() {
		was, is = was.Elem(), is.Elem()
	} else if n.pointer {
		if was.IsNil() != is.IsNil() {
			l.add(pointer, reason)
		}
		return
	}
	switch n.shape {
	case shapeObject:
		l.object(n.plan, was, is, pointer)
	case shapeList:
		for i := range was.Len() {
			at := pointer + "/" + strconv.Itoa(i)
			if i >= is.Len() {
				l.add(at, reason)
				continue
			}
			l.value(n.elem, was.Index(i), is.Index(i), at, reason)
		}
	case shapeFree:
		if !bytes.Equal(was.Bytes(), is.Bytes()) {
			l.add(pointer, reason)
		}
	case shapeText, shapeBool, shapeInteger, shapeNumber, shapeTime, shapeAny, shapeMap, shapeBody:
		if !reflect.DeepEqual(was.Interface(), is.Interface()) {
			l.add(pointer, reason)
		}
	}
}

// lossOf says why version 1 does not have the value of a member.
func lossOf(p *plan, name string) string {
	switch name {
	case "max_wall_ms":
		return lossSeconds
	case "prefer":
		return lossEngines
	case "pass_at":
		return lossVerdict
	case "trust":
		return lossBuiltins
	case "type":
		if p.typ == reflect.TypeFor[Transport]() {
			return lossBuiltins
		}
	}
	return lossMember
}
