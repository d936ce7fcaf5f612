package httpapi

import (
	"net/http"
	"net/url"

	"github.com/gorilla/mux"

	"axiom25/contracts"
)

// listTools answers GET /tools with every version of every tool.
func (a *API) listTools(w http.ResponseWriter, r *http.Request) error {
	if err := noQuery(r); err != nil {
		return err
	}
	if _, err := negotiate(r, mediaJSON); err != nil {
		return err
	}
	list := contracts.ToolList{Tools: a.Catalogue.List()}
	if list.Tools == nil {
		list.Tools = []contracts.ToolEntry{}
	}
	shown, err := a.entries(list)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, shown)
}

// getTool answers GET /tools/{name} with the highest version, or the one that ?version= names.
func (a *API) getTool(w http.ResponseWriter, r *http.Request) error {
	name, version, err := toolAddress(r)
	if err != nil {
		return err
	}
	entry, ok := a.findTool(name, version)
	if !ok {
		return contracts.NewProblem(contracts.ProblemNotFound, "the catalogue has no such tool")
	}
	shown, err := a.entry(entry)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, shown)
}

// putTool answers PUT /tools/{name}: 201 for a version that is new, 200 where it was there with the same content.
func (a *API) putTool(w http.ResponseWriter, r *http.Request) error {
	name, version, err := toolAddress(r)
	if err != nil {
		return err
	}
	doc, err := readDocument(w, r)
	if err != nil {
		return err
	}
	spec, err := contracts.Decode[contracts.ToolSpec](doc)
	if err != nil {
		return err
	}
	if spec.Name != name || version != "" && spec.Version != version {
		return malformed("the document is about another tool or version than the address")
	}
	_, known := a.findTool(spec.Name, spec.Version)
	entry, err := a.Catalogue.Put(r.Context(), spec)
	if err != nil {
		return err
	}
	if known {
		return writeJSON(w, http.StatusOK, a.storedEntry(entry))
	}
	w.Header().Set("Location", "/tools/"+url.PathEscape(entry.Spec.Name)+"?version="+url.QueryEscape(entry.Spec.Version))
	return writeJSON(w, http.StatusCreated, a.storedEntry(entry))
}

// deleteTool answers DELETE /tools/{name}: 204. It removes every version, or the one that ?version= names.
func (a *API) deleteTool(w http.ResponseWriter, r *http.Request) error {
	name, version, err := toolAddress(r)
	if err != nil {
		return err
	}
	ref := contracts.ToolRef(name)
	if version != "" {
		ref += contracts.ToolRef("@" + version)
	}
	if err := a.Catalogue.Delete(r.Context(), ref); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// toolAddress returns the tool that a request names; version is empty where the address has none.
func toolAddress(r *http.Request) (name, version string, err error) {
	q, err := parseQuery(r, "version")
	if err != nil {
		return "", "", err
	}
	if _, err = negotiate(r, mediaJSON); err != nil {
		return "", "", err
	}
	if version, err = q.one("version"); err != nil {
		return "", "", err
	}
	if version == "" && q.values.Has("version") {
		return "", "", malformed("query parameter version: must not be empty; leave it out to mean every version, or the highest")
	}
	return mux.Vars(r)["name"], version, nil
}

// findTool returns a version of a tool, or the highest where version is empty.
func (a *API) findTool(name, version string) (contracts.ToolEntry, bool) {
	for _, entry := range a.Catalogue.List() { // the highest version of a name comes first
		if entry.Spec.Name == name && (version == "" || entry.Spec.Version == version) {
			return entry, true
		}
	}
	return contracts.ToolEntry{}, false
}
