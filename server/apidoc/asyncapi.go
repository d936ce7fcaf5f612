package apidoc

import (
	"fmt"
	"strings"

	"axiom25/contracts"
)

// streams says what is true of every stream.
const streams = "What the streams of Axiom25 carry: server-sent events (the section of that name in the HTML standard) over HTTP GET. " +
	"Requests and problems are in [openapi.json](openapi.json); [event_model.md](event_model.md) says what the events mean.\n\n" +
	"A frame's `data:` line is the payload of a message; its other lines, `id:`, `event:` and `retry:`, are the message's headers. " +
	"Frames without data are comments or times to reconnect after, which EventSource handles itself. Frames with an `event:` line are " +
	"about the connection, not the run.\n\n" +
	"Come back with the seq of the last event that you used, as Last-Event-ID or ?after=. A stream ends after done; coming back past it " +
	"is answered with 204."

// AsyncAPI returns the document for streams, indented. A nil describe adds no descriptions to the schemas.
func AsyncAPI(describe contracts.Describe) ([]byte, error) {
	var channels, operations, messages object
	for _, op := range Operations() {
		for _, a := range op.Answers {
			for _, c := range a.Contents {
				if len(c.Frames) == 0 {
					continue
				}
				channel := op.channel(c)
				channels = append(channels, member{op.ID, channel})
				operations = append(operations, member{op.ID, op.sends()})
				for _, f := range c.Frames {
					messages = append(messages, member{op.messageID(f), f.message()})
				}
			}
		}
	}
	every, err := schemas(describe)
	if err != nil {
		return nil, fmt.Errorf("AsyncAPI document: %w", err)
	}
	used, err := reachable(every, messages)
	if err != nil {
		return nil, fmt.Errorf("AsyncAPI document: %w", err)
	}
	return write(object{
		{"asyncapi", "3.0.0"},
		{"info", info(streams)},
		{"defaultContentType", mediaJSON},
		{"servers", object{{"local", object{
			{"host", "127.0.0.1:8025"}, {"protocol", "http"}, {"description", "A server on this machine, as make run starts it."},
		}}}},
		{"channels", channels},
		{"operations", operations},
		{"components", object{{"messages", messages}, {"schemas", used}}},
	})
}

// messageID names a frame among those of all streams.
func (o *Operation) messageID(f Frame) string { return o.ID + "." + f.Name }

// channel returns the Channel Object of a stream.
func (o *Operation) channel(c Content) object {
	doc := object{{"address", o.Path}, {"title", o.Summary}, {"description", o.Description}}
	var parameters, messages object
	for _, p := range o.Parameters {
		if p.In == "path" {
			parameters = append(parameters, member{p.Name, object{
				{"description", p.Description}, {"examples", []string{fmt.Sprint(p.Example)}},
			}})
		}
	}
	for _, f := range c.Frames {
		messages = append(messages, member{f.Name, object{{"$ref", "#/components/messages/" + o.messageID(f)}}})
	}
	return doc.with("parameters", parameters).with("messages", messages)
}

// sends returns the Operation Object of a stream: that the server sends it.
func (o *Operation) sends() object {
	query := object{}
	for _, p := range o.Parameters {
		if p.In == "query" {
			schema, _ := p.Schema.(object)
			query = append(query, member{p.Name, append(object{{"description", p.Description}}, schema...)})
		}
	}
	return object{
		{"action", "send"},
		{"channel", object{{"$ref", "#/channels/" + o.ID}}},
		{"summary", o.Summary},
		{"bindings", object{{"http", object{
			{"method", o.Method},
			{"query", object{{"type", "object"}, {"properties", query}}},
			{"bindingVersion", "0.3.0"},
		}}}},
	}
}

// message returns the Message Object of a frame.
func (f Frame) message() object {
	var lines object
	var needed []string
	add := func(name string, schema any) {
		lines, needed = append(lines, member{name, schema}), append(needed, name)
	}
	if f.ID != nil {
		add("id", f.ID)
	}
	if f.Event != "" {
		add("event", object{{"type", "string"}, {"const", f.Event}})
	}
	if f.Retry != nil {
		add("retry", f.Retry)
	}
	doc := object{{"name", f.Name}, {"title", f.Title}, {"description", f.Description}}
	if len(lines) > 0 {
		doc = doc.with("headers", object{{"type", "object"}, {"properties", lines}, {"required", needed}})
	}
	if f.Data == nil {
		payload := object{{"type", "string"}, {"const", f.Comment}, {"description", "A comment: what follows a colon at the start of a line."}}
		if f.Comment == "" {
			payload = object{{"type", "string"}, {"const", ""}, {"description", "Nothing."}}
		}
		return doc.with("contentType", "text/plain").with("payload", payload)
	}
	return doc.with("payload", f.Data).with("examples", []object{{{"name", strings.ReplaceAll(f.Name, "_", "-")}, {"payload", f.Example}}})
}
