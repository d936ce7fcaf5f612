package contracts_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
	"axiom25/contracts/runstate"
)

// Events begin with version 2, so that there is no older one to lift. These tests make two up: in version 1 some members
// had other names, and in version 0 a type of events had another name too.

// namesOfVersion1 are what members were called, by the type of event and their name now. "" is the event itself.
func namesOfVersion1() map[string]map[string]string {
	return map[string]map[string]string{
		"":           {"run_id": "run"},
		"thought":    {"delta": "text"},
		"token":      {"delta": "text", "id": "message"},
		"tool_start": {"args": "arguments"},
		"tool_end":   {"output": "result"},
		"budget":     {"used": "usage"},
		"verdict":    {"pass": "round", "output_hash": "hash"},
		"done":       {"output": "answer"},
	}
}

// tokenOfVersion0 is what the type token was called.
const tokenOfVersion0 = "text"

// object is a JSON object whose members keep their spelling.
type object = map[string]json.RawMessage

// reads parses an object.
func reads(doc []byte) (object, error) {
	var o object
	err := json.Unmarshal(doc, &o)
	return o, err
}

// text returns a member that is a text.
func (names renaming) text(o object, member string) string {
	var s string
	_ = json.Unmarshal(o[member], &s) // what is no text is left to the decoder
	return s
}

// renaming gives members other names, by the type of event.
type renaming map[string]map[string]string

// apply renames the members of an event and of its data.
func (names renaming) apply(event object) error {
	kind := names.text(event, "type")
	names.members(event, "")
	raw, ok := event["data"]
	if !ok || names[kind] == nil {
		return nil
	}
	data, err := reads(raw)
	if err != nil {
		return nil //nolint:nilerr // data that is no object is left to the decoder
	}
	names.members(data, kind)
	event["data"] = contractstest.Document(data)
	return nil
}

func (names renaming) members(o object, kind string) {
	for from, to := range names[kind] {
		if value, ok := o[from]; ok {
			delete(o, from)
			o[to] = value
		}
	}
}

// lifts is the table of the made-up versions.
func lifts() map[int]contracts.EventLift {
	up := renaming{}
	for kind, names := range namesOfVersion1() {
		up[kind] = make(map[string]string)
		for now, then := range names {
			up[kind][then] = now
		}
	}
	return map[int]contracts.EventLift{
		0: rewriting(1, func(event object) error {
			if up.text(event, "type") == tokenOfVersion0 {
				event["type"] = json.RawMessage(`"token"`)
			}
			return nil
		}),
		1: rewriting(2, up.apply),
	}
}

// rewriting is the lift to a version.
func rewriting(version int, rewrite func(object) error) contracts.EventLift {
	return func(doc []byte) ([]byte, error) {
		event, err := reads(doc)
		if err != nil {
			return nil, err
		}
		if err := rewrite(event); err != nil {
			return nil, err
		}
		event["schema_version"] = contractstest.Document(version)
		return contractstest.Document(event), nil
	}
}

// written returns an event as an older version wrote it.
func written(t *testing.T, ev any, version int) []byte {
	t.Helper()
	event, err := reads(contractstest.Document(ev))
	if err != nil {
		t.Fatal(err)
	}
	if version < contracts.Version {
		if err := renaming(namesOfVersion1()).apply(event); err != nil {
			t.Fatal(err)
		}
	}
	if version == 0 && string(event["type"]) == `"token"` {
		event["type"] = contractstest.Document(tokenOfVersion0)
	}
	event["schema_version"] = contractstest.Document(version)
	return contractstest.Document(event)
}

// TestEventsOfAnOlderVersionAreLifted reads whole runs that were written in older versions, from beginning to end and up
// to the day on which the server learned the current one: nothing is lost, and every invariant of a run holds.
func TestEventsOfAnOlderVersionAreLifted(t *testing.T) {
	table := lifts()
	for _, run := range contractstest.Runs() {
		for name, versionOf := range map[string]func(i int) int{
			"version 1":               func(int) int { return 1 },
			"version 0":               func(int) int { return 0 },
			"one version after other": func(i int) int { return i * 3 / len(run.Events) },
		} {
			t.Run(run.Name+"/"+name, func(t *testing.T) {
				var lifted []contracts.RunEvent
				for i, ev := range run.Events {
					line := written(t, ev, versionOf(i))
					stored := bytes.Clone(line)
					got, err := contracts.DecodeEventLifting(line, table)
					if err != nil {
						t.Fatalf("%s\n%s", contractstest.Document(err), line)
					}
					if !bytes.Equal(line, stored) {
						t.Fatal("what is stored was changed")
					}
					if is, was := contractstest.Document(got), contractstest.Document(ev); !bytes.Equal(is, was) {
						t.Fatalf("got  %s\nwant %s", is, was)
					}
					lifted = append(lifted, got)
				}
				if err := runstate.Check(slices.Values(lifted)); err != nil {
					t.Errorf("after lifting: %v", err)
				}
			})
		}
	}
}

// TestALiftThatChangesWhatIsHashedIsSeen shows that the invariants would tell a bad lift from a good one.
func TestALiftThatChangesWhatIsHashedIsSeen(t *testing.T) {
	for name, spoil := range map[string]func(event object) error{
		"the answer": func(event object) error {
			if bytes.Contains(event["type"], []byte("token")) {
				event["data"] = bytes.Replace(event["data"], []byte("Saturn"), []byte("saturn"), 1)
			}
			return nil
		},
		"a receipt": func(event object) error {
			event["data"] = bytes.Replace(event["data"], []byte(`"latency_ms":`), []byte(`"latency_ms":1`), 1)
			return nil
		},
		"the order": func(event object) error {
			event["seq"] = json.RawMessage("7")
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			table := map[int]contracts.EventLift{1: rewriting(2, spoil)}
			var lifted []contracts.RunEvent
			for _, ev := range contractstest.SucceededRun().Events {
				ev.SchemaVersion = 1
				got, err := contracts.DecodeEventLifting(contractstest.Document(ev), table)
				if err != nil {
					t.Fatal(err)
				}
				lifted = append(lifted, got)
			}
			var violation *runstate.Violation
			if err := runstate.Check(slices.Values(lifted)); !errors.As(err, &violation) {
				t.Errorf("got %v, want a violation", err)
			}
		})
	}
}

// TestWhatCannotBeLifted names the versions that are read, and what is wrong in what was lifted.
func TestWhatCannotBeLifted(t *testing.T) {
	token := contractstest.SucceededRun().Events[3]
	all := lifts()
	latest := map[int]contracts.EventLift{1: all[1]}
	broken := map[int]contracts.EventLift{0: all[0]}
	for name, c := range map[string]struct {
		line      []byte
		table     map[int]contracts.EventLift
		want      []string
		supported []int
	}{
		"no lift is there":     {written(t, token, 1), nil, []string{"#/schema_version unsupported_version"}, []int{2}},
		"older than any lift":  {written(t, token, 0), latest, []string{"#/schema_version unsupported_version"}, []int{1, 2}},
		"a gap in the way":     {written(t, token, 0), broken, []string{"#/schema_version unsupported_version"}, []int{2}},
		"newer than this code": {[]byte(`{"schema_version":3}`), all, []string{"#/schema_version unsupported_version"}, []int{0, 1, 2}},
		"a bad body":           {[]byte(`{"schema_version":1,"run":"x","seq":0,"time":"2026-01-02T03:04:05.678Z","type":"token","data":{"message":"m","text":7}}`), all, []string{"#/data/delta type", "#/run_id rule.runid", "#/seq rule.gte"}, nil},
		"no data":              {[]byte(`{"schema_version":1,"type":"token","data":[]}`), all, []string{"#/data type", "#/run_id required", "#/seq required", "#/time required"}, nil},
		"no JSON":              {[]byte(`{"schema_version":1,"type":`), all, []string{"# syntax"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := contracts.DecodeEventLifting(c.line, c.table)
			if got := found(t, err); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			var p *contracts.Problem
			if errors.As(err, &p) && !slices.Equal(p.Supported, c.supported) {
				t.Errorf("supported %v, want %v", p.Supported, c.supported)
			}
			for _, e := range p.Errors {
				if e.Offset != nil && e.Pointer == "#/data/delta" {
					t.Errorf("%s is not in the document, but has offset %d", e.Pointer, *e.Offset)
				}
			}
		})
	}
}

// TestEngineLinesAreLifted reads what an engine of the version before reports; it has no older one.
func TestEngineLinesAreLifted(t *testing.T) {
	line := []byte(`{"schema_version":1,"type":"token","data":{"message":"m1","text":"x"}}`)
	got, err := contracts.DecodeEngineEventLifting(line, lifts())
	if data, ok := got.Data.(*contracts.TokenData); err != nil || !ok || data.ID != "m1" || data.Delta != "x" || got.SchemaVersion != 2 {
		t.Errorf("got %s, %v", contractstest.Document(got), err)
	}
	strict := bytes.Replace(line, []byte(`"text"`), []byte(`"extra":1,"text"`), 1)
	_, err = contracts.DecodeEngineEventLifting(strict, lifts())
	if got := found(t, err); !slices.Equal(got, []string{"#/data/extra unknown_field"}) {
		t.Errorf("got %q", got)
	}
	_, err = contracts.DecodeEngineEventLifting(bytes.Replace(line, []byte(":1,"), []byte(":0,"), 1), lifts())
	var p *contracts.Problem
	if !errors.As(err, &p) || !p.Has(contracts.ProblemUnsupportedVersion) || !slices.Equal(p.Supported, []int{1, 2}) {
		t.Errorf("got %v", err)
	}
}
