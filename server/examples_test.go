package main_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"axiom25/contracts"
)

// exampleDocument reads one of docs/examples.
func exampleDocument(t *testing.T, name string) []byte {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join("..", "docs", "examples", name)) //nolint:gosec // this repository's own files
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// exampleNames lists docs/examples.
func exampleNames(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "docs", "examples", "*.json"))
	if err != nil || len(files) < 3 {
		t.Fatalf("docs/examples holds %d tasks, %v; want at least 3", len(files), err)
	}
	for i, file := range files {
		files[i] = filepath.Base(file)
	}
	return files
}

// approveAll is the human who says yes to every call of a run that waits, until the run is done.
func (s *server) approveAll(t *testing.T, id contracts.RunID) snapshot {
	t.Helper()
	asked := map[contracts.ApprovalID]bool{}
	return s.await(t, id, "done", func(got snapshot) bool {
		for _, call := range got.OpenCalls {
			if call.Approval == nil || asked[call.Approval.ID] {
				continue
			}
			asked[call.Approval.ID] = true
			s.must(t, http.MethodPost, "/runs/"+id.String()+"/approvals/"+call.Approval.ID.String(), `{"decision":"approve","by":"test"}`, nil)
		}
		return got.Done != nil
	})
}

func TestExamples(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	var mu sync.Mutex
	var outcomes []contracts.State
	t.Cleanup(func() {
		for _, want := range []contracts.State{contracts.StateSucceeded, contracts.StateExhausted} {
			if !slices.Contains(outcomes, want) {
				t.Errorf("no example ends %s: %v", want, outcomes)
			}
		}
	})
	for _, name := range exampleNames(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := s.create(t, string(exampleDocument(t, name)))
			streamed := make(chan []string, 1)
			go func() {
				frames, err := s.view(t.Context(), id, 0, 0)
				if err != nil {
					t.Errorf("stream: %v", err)
				}
				streamed <- frames
			}()
			got := s.approveAll(t, id)
			frames := <-streamed
			checkStream(t, frames)
			if !slices.Equal(frames, s.history(t, id)) {
				t.Error("the stream is not the journal")
			}
			mu.Lock()
			defer mu.Unlock()
			outcomes = append(outcomes, got.State)
			t.Logf("%d events, %s, %+v", len(frames), got.State, got.Used)
		})
	}
}
