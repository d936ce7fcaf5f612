package store

import (
	"encoding/json"

	"axiom25/contracts"
)

// Task is a TaskSpec as far as a page shows it beside its text.
type Task struct {
	// Version is the version that it was sent in.
	Version int
	// Inputs are the named materials and Tools what the task allows, as it names them.
	Inputs []TaskInput
	Tools  []string
	// Labels are the caller's own tags.
	Labels map[string]string
	// Budget is what is laid over the profile, or nil.
	Budget *contracts.Budget
	// Digest is that of the document as it is shown.
	Digest contracts.Digest
	// Withheld says that sensitive inputs are shown without their content, so that the digest is not that of what was sent.
	Withheld bool
}

// TaskInput is an input without its content.
type TaskInput struct {
	Name string
	// Kind is text, data or uri; empty where the content is withheld.
	Kind string
	// Bytes is the size of the content as JSON, and URI where it is instead.
	Bytes     int
	URI       string
	MediaType string
	Sensitive bool
}

// ReadTask reads a task as the server shows it. One of an older version is read as what it has become since; its digest is that
// of what was sent all the same.
func ReadTask(document []byte) (Task, error) {
	digest, err := contracts.DigestJSON(document)
	if err != nil {
		return Task{}, err
	}
	var head struct {
		Version int `json:"schema_version"`
	}
	if err := json.Unmarshal(document, &head); err != nil {
		return Task{}, err
	}
	if head.Version < contracts.Version {
		if document, _, err = contracts.Migrate(contracts.KindTaskSpec, document); err != nil {
			return Task{}, err
		}
	}
	var read struct {
		Inputs []struct {
			Name      string          `json:"name"`
			Text      json.RawMessage `json:"text"`
			Data      json.RawMessage `json:"data"`
			URI       string          `json:"uri"`
			MediaType string          `json:"media_type"`
			Sensitive bool            `json:"sensitive"`
		} `json:"inputs"`
		Tools  []string          `json:"allowed_tools"`
		Labels map[string]string `json:"labels"`
		Budget *contracts.Budget `json:"budget"`
	}
	if err := json.Unmarshal(document, &read); err != nil {
		return Task{}, err
	}
	t := Task{Version: head.Version, Tools: read.Tools, Labels: read.Labels, Budget: read.Budget, Digest: digest}
	for _, in := range read.Inputs {
		input := TaskInput{Name: in.Name, URI: in.URI, MediaType: in.MediaType, Sensitive: in.Sensitive}
		switch {
		case in.Text != nil:
			input.Kind, input.Bytes = "text", len(in.Text)
		case in.Data != nil:
			input.Kind, input.Bytes = "data", len(in.Data)
		case in.URI != "":
			input.Kind = "uri"
		default:
			t.Withheld = true
		}
		t.Inputs = append(t.Inputs, input)
	}
	return t, nil
}
