package natsjournal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// toolRecord is what the subject of a version of a tool holds. One that was deleted leaves its record with Deleted set,
// so that those who watch the catalogue are told.
type toolRecord struct {
	Name    string           `json:"name"`
	Version string           `json:"version"`
	Digest  contracts.Digest `json:"digest,omitzero"`
	Spec    []byte           `json:"spec,omitempty"`
	Deleted bool             `json:"deleted,omitzero"`
}

// readTool reads the record of a tool.
func readTool(m message) (toolRecord, error) {
	var r toolRecord
	_, payload, err := open(m)
	if err == nil {
		err = json.Unmarshal(payload, &r)
	}
	if err != nil {
		return r, &journal.DamagedError{}
	}
	return r, nil
}

// putTool writes the record of a tool behind a place.
func (j *Journal) putTool(ctx context.Context, r toolRecord, expect uint64) error {
	payload, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode tool %s@%s: %w", r.Name, r.Version, err)
	}
	subject, id := j.layout.tool(r.Name, r.Version), j.nextID()
	_, err = j.tools.put(ctx, write{subject: subject, id: id, data: seal(subject, id, payload), expect: expect}, recordID)
	return err
}

// PutTool implements journal.Journal.
func (j *Journal) PutTool(ctx context.Context, t journal.Tool) error {
	leave, err := j.enterWrite(ctx)
	if err != nil {
		return err
	}
	defer leave()
	r := toolRecord{Name: t.Name, Version: t.Version, Digest: t.Digest, Spec: t.Spec}
	expect := uint64(0)
	for {
		err := j.putTool(ctx, r, expect)
		moved, isMoved := errors.AsType[*movedError](err)
		if !isMoved {
			return err
		}
		expect = moved.Now.seq
		if expect == 0 {
			continue
		}
		switch have, err := readTool(moved.Now); {
		case err != nil:
			return fmt.Errorf("tool %s@%s: %w", t.Name, t.Version, err)
		case have.Deleted:
		case have.Digest == t.Digest:
			return nil
		default:
			return &journal.ToolConflictError{Name: t.Name, Version: t.Version}
		}
	}
}

// DeleteTool implements journal.Journal. The versions of a tool go one by one: a server that ends meanwhile leaves some.
func (j *Journal) DeleteTool(ctx context.Context, name, version string) error {
	leave, err := j.enterWrite(ctx)
	if err != nil {
		return err
	}
	defer leave()
	deleted := 0
	for {
		found, err := j.toolRecords(ctx)
		if err != nil {
			return err
		}
		raced := false
		for place, r := range found {
			if r.Name != name || version != "" && r.Version != version {
				continue
			}
			err := j.putTool(ctx, toolRecord{Name: r.Name, Version: r.Version, Deleted: true}, place)
			if _, moved := errors.AsType[*movedError](err); moved {
				raced = true
				continue
			}
			if err != nil {
				return err
			}
			deleted++
		}
		if raced {
			continue
		}
		if deleted == 0 {
			return fmt.Errorf("tool %s: %w", name, journal.ErrNotFound)
		}
		return nil
	}
}

// toolRecords returns the versions that are not deleted, by their places.
func (j *Journal) toolRecords(ctx context.Context) (map[uint64]toolRecord, error) {
	found := map[string]uint64{}
	records := map[uint64]toolRecord{}
	prefix := j.layout.prefix + ".tool."
	_, _, err := j.tools.scan(ctx, 0, func(m message) error {
		if !strings.HasPrefix(m.subject, prefix) {
			return nil
		}
		delete(records, found[m.subject]) // one that was put again while it was read
		found[m.subject] = m.seq
		r, err := readTool(m)
		if err != nil {
			return fmt.Errorf("read tools: %w", err)
		}
		if !r.Deleted {
			records[m.seq] = r
		}
		return nil
	})
	return records, err
}

// Tools implements journal.Reader.
func (j *Journal) Tools(ctx context.Context) ([]journal.Tool, error) {
	leave, err := j.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	records, err := j.toolRecords(ctx)
	if err != nil {
		return nil, err
	}
	var tools []journal.Tool
	for _, r := range records {
		spec := r.Spec
		if spec == nil {
			spec = []byte{}
		}
		tools = append(tools, journal.Tool{Name: r.Name, Version: r.Version, Spec: spec, Digest: r.Digest})
	}
	slices.SortFunc(tools, func(a, b journal.Tool) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return tools, nil
}
