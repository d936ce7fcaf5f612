package command

import (
	"context"
	"net/url"

	"axiom25/contracts"
)

// Engines lists those that carry runs out.
func (c Client) Engines(ctx context.Context) (contracts.EngineList, error) {
	return get[contracts.EngineList](ctx, c, "/engines")
}

// PutTool stores a ToolSpec under its name, and returns it as the server has stored it.
func (c Client) PutTool(ctx context.Context, name string, spec []byte) (contracts.ToolEntry, error) {
	return do[contracts.ToolEntry](ctx, c, Request{Method: "PUT", Path: "/tools/" + url.PathEscape(name), Body: spec})
}

// DeleteTool removes a version of a tool, or all of them where the reference names none.
func (c Client) DeleteTool(ctx context.Context, ref contracts.ToolRef) error {
	name, version := ref.Split()
	path := "/tools/" + url.PathEscape(name)
	if version != "" {
		path += "?version=" + url.QueryEscape(version)
	}
	return c.send(ctx, Request{Method: "DELETE", Path: path}, nil)
}
