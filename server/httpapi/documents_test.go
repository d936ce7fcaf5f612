package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"axiom25/docs"
	"axiom25/server/apidoc"
)

// TestDocumentedRoutes compares the route table with the table of operations, both ways.
func TestDocumentedRoutes(t *testing.T) {
	t.Parallel()
	routes := open(t).api.Routes()
	documented := make(map[string]map[string]bool)
	for _, op := range apidoc.Operations() {
		if documented[op.Path] == nil {
			documented[op.Path] = make(map[string]bool)
		}
		documented[op.Path][op.Method] = true
		public, ok := routes[op.Path][op.Method]
		if !ok {
			t.Errorf("%s %s is documented, and no route", op.Method, op.Path)
		} else if public != op.Open {
			t.Errorf("%s %s: the route is open to everyone: %v, the document says %v", op.Method, op.Path, public, op.Open)
		}
	}
	for path, methods := range routes {
		for method := range methods {
			if !documented[path][method] {
				t.Errorf("%s %s is a route, and not documented: add it to apidoc.Operations", method, path)
			}
		}
	}
}

// TestDocuments asks for both documents, and again with what the server called them.
func TestDocuments(t *testing.T) {
	t.Parallel()
	h := open(t)
	for path, want := range map[string][]byte{"/openapi.json": docs.OpenAPI, "/asyncapi.json": docs.AsyncAPI} {
		a := h.do("GET", path, "")
		if a.status != http.StatusOK || a.body != string(want) || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s, %d bytes", path, a.status, a.header.Get("Content-Type"), len(a.body))
		}
		wantCached(t, h, path, a.header)
	}
}

// wantCached asks again for what a client has, in every way that RFC 9110 (section 13.1.2) knows.
func wantCached(t *testing.T, h *house, path string, header http.Header) {
	t.Helper()
	tag := header.Get("ETag")
	if !strings.HasPrefix(tag, `"`) || !strings.HasPrefix(header.Get("Cache-Control"), "public, max-age=") {
		t.Errorf("%s: ETag: %s, Cache-Control: %s", path, tag, header.Get("Cache-Control"))
	}
	for known, status := range map[string]int{
		tag: http.StatusNotModified, "W/" + tag: http.StatusNotModified, `"other", ` + tag: http.StatusNotModified, "*": http.StatusNotModified,
		`"other"`: http.StatusOK, strings.Trim(tag, `"`): http.StatusOK,
	} {
		a := h.do("GET", path, "", "If-None-Match: "+known)
		if a.status != status || a.header.Get("ETag") != tag || (a.body == "") != (status == http.StatusNotModified) {
			t.Errorf("%s with If-None-Match: %s: %d, %d bytes, ETag: %s", path, known, a.status, len(a.body), a.header.Get("ETag"))
		}
	}
}
