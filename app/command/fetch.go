//go:build !js || !wasm

package command

import (
	"context"
	"errors"
)

// BrowserFetch fails: there is no browser here.
func BrowserFetch(context.Context, Request) (Response, error) {
	return Response{}, errors.New("there is no browser")
}
