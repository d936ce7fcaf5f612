package contracts_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

func engineLine(kind, data string) string {
	return fmt.Sprintf(`{"schema_version":2,"type":%q,"data":%s}`, kind, data)
}

var goodLines = []string{
	engineLine("thought", `{"id":"t","delta":"hm"}`),
	engineLine("token", `{"id":"m","delta":"Saturn","final":true}`),
	engineLine("tool_start", `{"call_id":"c","tool":"a","args":{"x":null}}`),
	engineLine("tool_end", `{"call_id":"c","status":"ok","output":[1]}`),
	engineLine("budget", `{"used":{"tokens_in":1}}`),
	engineLine("error", `{"type":"/problems/engine-failed","title":"x","status":500,"fatal":true}`),
}

func TestDecodeEngineEvents(t *testing.T) {
	want := []contracts.EventData{
		&contracts.ThoughtData{ID: "t", Delta: "hm", Attempt: 1, Kind: contracts.ThoughtReasoning},
		&contracts.TokenData{ID: "m", Delta: "Saturn", Attempt: 1, Final: true, Channel: contracts.ChannelAnswer},
		&contracts.EngineToolStart{CallID: "c", Tool: "a", Args: json.RawMessage(`{"x":null}`), Attempt: 1},
		&contracts.EngineToolEnd{CallID: "c", Status: contracts.CallOK, Output: json.RawMessage(`[1]`)},
		&contracts.EngineBudget{Used: contracts.EngineUsage{TokensIn: 1}},
		&contracts.ErrorData{
			Problem: contracts.Problem{Type: "/problems/engine-failed", Title: "x", Status: 500},
			Fatal:   true, Retry: contracts.RetryNone,
		},
	}
	for name, body := range map[string]string{
		"lines":                  strings.Join(goodLines, "\n") + "\n",
		"lines without the last": strings.Join(goodLines, "\n"),
		"blank lines":            "\n \r\n" + strings.Join(goodLines, "\r\n\n"),
		"array":                  " [" + strings.Join(goodLines, " , ") + "]\n",
	} {
		t.Run(name, func(t *testing.T) {
			events, err := contracts.DecodeEngineEvents([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			var got []contracts.EventData
			for _, ev := range events {
				if ev.Type != ev.Data.EventType() {
					t.Errorf("type %s holds a %s", ev.Type, ev.Data.EventType())
				}
				got = append(got, ev.Data)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %s\nwant %s", contractstest.Document(got), contractstest.Document(want))
			}
		})
	}
}

func TestDecodeEngineEventsRefuses(t *testing.T) {
	large := engineLine("token", `{"id":"m","delta":"`+strings.Repeat("x", 1<<20)+`"}`)
	for _, r := range []row{
		{"nothing", ``, []string{"# batch"}},
		{"blank lines", "\n\n", []string{"# batch"}},
		{"an empty array", `[]`, []string{"# batch"}},
		{"too many lines", strings.Repeat(goodLines[0]+"\n", 1001), []string{"# batch"}},
		{"too many elements", "[" + strings.Repeat(goodLines[0]+",", 1000) + goodLines[0] + "]", []string{"# batch"}},
		{"too large", strings.Repeat(" ", 4<<20+1), []string{"# size"}},
		{"a large event", goodLines[0] + "\n" + large, []string{"#/1 size"}},
		{"a broken line", goodLines[0] + "\n{\n", []string{"#/1 syntax"}},
		{"two in a line", goodLines[0] + goodLines[0], []string{"#/0 trailing_bytes"}},
		{"a broken array", "[" + goodLines[0] + ",", []string{"# syntax"}},
		{"an array and more", "[" + goodLines[0] + "] 1", []string{"# trailing_bytes"}},
		{"a deep array", strings.Repeat("[", 40), []string{"# depth"}},
		{"a deep line", goodLines[0] + "\n" + engineLine("tool_start", nested(40)), []string{"#/1 depth"}},
		{"an old line", goodLines[0] + "\n" + `{"schema_version":1}`, []string{"#/1/schema_version unsupported_version"}},
		{"a server's event", engineLine("status", `{"state":"running","reason":"started"}`), []string{"#/0/type rule.oneof"}},
		{"a server's field", `{"schema_version":2,"seq":1,"type":"token","data":{"id":"m","delta":"x"}}`, []string{"#/0/seq unknown_field"}},
		{"problems of several lines", goodLines[0] + "\n" + engineLine("token", `{}`) + "\n" + engineLine("budget", `{"used":{"tokens_in":-1}}`), []string{
			"#/1/data/delta required", "#/1/data/id required", "#/2/data/used/tokens_in rule.gte",
		}},
		{"denied", engineLine("tool_end", `{"call_id":"c","status":"denied"}`), []string{"#/0/data/status rule.oneof"}},
		{"no type", `{"schema_version":2,"data":{}}`, []string{"#/0/type required"}},
		{"null", `null`, []string{"#/0 type"}},
	} {
		t.Run(r.name, func(t *testing.T) {
			_, err := contracts.DecodeEngineEvents([]byte(r.doc))
			if got := found(t, err); !slices.Equal(got, r.want) {
				t.Errorf("got %q, want %q", got, r.want)
			}
		})
	}
}

// TestOffsetsOfEngineEvents checks that offsets count from the beginning of the body.
func TestOffsetsOfEngineEvents(t *testing.T) {
	for _, body := range []string{
		goodLines[0] + "\n" + engineLine("budget", `{"used":{"tokens_in":-1, "x":"HERE"}}`),
		"[" + goodLines[0] + " , " + engineLine("budget", `{"used":{"tokens_in":-1, "x":"HERE"}}`) + "]",
	} {
		_, err := contracts.DecodeEngineEvents([]byte(body))
		var p *contracts.Problem
		if !errors.As(err, &p) || len(p.Errors) != 2 {
			t.Fatal(err)
		}
		for i, want := range []string{`-1`, `"x"`} {
			if offset := *p.Errors[i].Offset; !strings.HasPrefix(body[offset:], want) {
				t.Errorf("offset %d points at %.10s, want %s", offset, body[offset:], want)
			}
		}
	}
}

func TestDecodeEvent(t *testing.T) {
	t.Run("ignores unknown fields", func(t *testing.T) {
		ev, err := contracts.DecodeEvent([]byte(strings.Replace(
			event("token", `{"id":"m","delta":"x","colour":{"a":[null]}}`), `"seq"`, `"shard":null,"seq"`, 1)))
		if err != nil {
			t.Fatal(err)
		}
		want := &contracts.TokenData{ID: "m", Delta: "x", Attempt: 1, Channel: contracts.ChannelAnswer}
		if !reflect.DeepEqual(ev.Data, want) {
			t.Errorf("got %+v", ev.Data)
		}
	})
	t.Run("keeps unknown types", func(t *testing.T) {
		line := []byte(event("telemetry", `{"a":[1,null],"b":"<&>"}`))
		ev, err := contracts.DecodeEvent(line)
		if err != nil {
			t.Fatal(err)
		}
		if ev.Type != "telemetry" || ev.Data.EventType() != "telemetry" {
			t.Errorf("type %s, body %s", ev.Type, ev.Data.EventType())
		}
		if again := contractstest.Document(ev); !bytes.Equal(again, line) {
			t.Errorf("got %s, want %s", again, line)
		}
		if _, ok := ev.Data.(contracts.UnknownData); !ok {
			t.Errorf("body %T", ev.Data)
		}
	})
	t.Run("judges the envelope of unknown types", func(t *testing.T) {
		_, err := contracts.DecodeEvent([]byte(strings.Replace(event("telemetry", `{}`), `"seq":1`, `"seq":0`, 1)))
		if got := found(t, err); !slices.Equal(got, []string{"#/seq rule.gte"}) {
			t.Errorf("got %q", got)
		}
	})
	for _, r := range []row{
		{"a bad body", event("token", `{"id":"m"}`), []string{"#/data/delta required"}},
		{"an unknown value of a known field", event("token", `{"id":"m","delta":"x","channel":"song"}`), []string{"#/data/channel rule.oneof"}},
		{"no data", `{"schema_version":2,"run_id":"` + string(contractstest.RunID(1)) + `","seq":1,"time":"2026-01-02T03:04:05.678Z","type":"token"}`, []string{"#/data required"}},
		{"another version", `{"schema_version":3}`, []string{"#/schema_version unsupported_version"}},
		{"not JSON", `x`, []string{"# syntax"}},
	} {
		t.Run("refuses "+r.name, func(t *testing.T) {
			_, err := contracts.DecodeEvent([]byte(r.doc))
			if got := found(t, err); !slices.Equal(got, r.want) {
				t.Errorf("got %q, want %q", got, r.want)
			}
		})
	}
}

// TestEventPage reads events within an answer by the standard library, as a client does.
func TestEventPage(t *testing.T) {
	page := contracts.EventPage{Events: contractstest.SucceededRun().Events, LastSeq: 9}
	var got contracts.EventPage
	if err := json.Unmarshal(contractstest.Document(page), &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, page) {
		t.Error("the page changes on its way")
	}
	if err := json.Unmarshal([]byte(`{"events":[{"type":"token"}]}`), &got); err == nil {
		t.Error("an event without an envelope passes")
	}
}

func TestEncode(t *testing.T) {
	got, err := contracts.Encode(contracts.TokenData{ID: "m", Delta: "<b> & \u2028", Attempt: 1, Channel: "answer"})
	if want := `{"id":"m","delta":"<b> & \u2028","attempt":1,"channel":"answer"}`; err != nil || string(got) != want {
		t.Errorf("got %s, want %s, error %v", got, want, err)
	}
	if _, err := contracts.Encode(contracts.EngineToolStart{Args: json.RawMessage(`{`)}); err == nil {
		t.Error("broken JSON passes")
	}
	if got, err := contracts.Encode(contracts.UnknownData{}); err != nil || string(got) != "null" {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestIdentity sends values on their way and reads them back.
func TestIdentity(t *testing.T) {
	check := func(name string, v any, decode func([]byte) (any, error)) {
		t.Helper()
		doc := contractstest.Document(v)
		got, err := decode(doc)
		if err != nil {
			t.Errorf("%s: %s\n%s", name, contractstest.Document(err), doc)
			return
		}
		if !reflect.DeepEqual(got, v) {
			t.Errorf("%s: got %s, want %s", name, contractstest.Document(got), doc)
		}
	}
	for _, run := range contractstest.Runs() {
		check(run.Name, run.Task, func(b []byte) (any, error) { return contracts.Decode[contracts.TaskSpec](b) })
		for _, ev := range run.Events {
			check(fmt.Sprintf("%s %d", run.Name, ev.Seq), ev, func(b []byte) (any, error) { return contracts.DecodeEvent(b) })
		}
	}
	check("full task", fullTask(), func(b []byte) (any, error) { return contracts.Decode[contracts.TaskSpec](b) })
	check("tool", contractstest.ToolSpec(), func(b []byte) (any, error) { return contracts.Decode[contracts.ToolSpec](b) })
	check("full tool", fullTool(), func(b []byte) (any, error) { return contracts.Decode[contracts.ToolSpec](b) })
	check("answer", &contracts.Answer{MessageID: "m", Channel: contracts.ChannelAnswer, Text: "x"},
		func(b []byte) (any, error) { return contracts.Decode[contracts.Answer](b) })
	check("fork", &contracts.ForkRequest{Seq: 3, Task: fullTask()},
		func(b []byte) (any, error) { return contracts.Decode[contracts.ForkRequest](b) })
}

// fullTask has every field.
func fullTask() *contracts.TaskSpec { return contractstest.FullTaskSpec() }

// fullTool has every field.
func fullTool() *contracts.ToolSpec {
	tool := contractstest.EngineTool("search")
	tool.OutputSchema = json.RawMessage(`{"type":"array","items":{"$ref":"#/$defs/hit"},"$defs":{"hit":{"type":"object"}}}`)
	tool.Transport = contracts.Transport{Type: contracts.TransportMCP, URL: "https://example.org/mcp"}
	tool.Auth = contracts.Auth{
		Type: contracts.AuthOIDC, SecretRef: "secret://vault/search", Issuer: "https://issuer.example.org", Scopes: []string{"read"},
	}
	tool.Redact = []string{"/key", "/hits/0/email~1x"}
	return tool
}
