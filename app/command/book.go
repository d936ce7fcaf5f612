package command

import (
	"context"
	"errors"

	"axiom25/docs/handbook"
)

// ErrNoBook says that the console was built without the reference.
var ErrNoBook = errors.New("the console was built without the reference")

// Book reads the reference at its address, which names its content. It is a file of the console: where the service worker keeps
// those it comes without the server too.
func (c Client) Book(ctx context.Context, address string) (*handbook.Book, error) {
	if address == "" {
		return nil, ErrNoBook
	}
	book := new(handbook.Book)
	return book, c.send(ctx, Request{Method: "GET", Path: address, Static: true}, book)
}

// Try sends a request as the reader wrote it and returns the answer, whatever it says. The error wraps ErrUnreachable.
func (c Client) Try(ctx context.Context, r Request) (Response, error) {
	fetch := c.Fetch
	if fetch == nil {
		fetch = BrowserFetch
	}
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	r.Asked = []string{
		"content-type", "location", "etag", "cache-control", "allow", "retry-after", "idempotency-replayed", "www-authenticate", "x-request-id",
	}
	res, err := fetch(ctx, r)
	if err != nil {
		return res, errors.Join(ErrUnreachable, err)
	}
	return res, nil
}

// tryTimeout is how long a request that the reader wrote may take: longer than the server may be asked to wait for an event.
const tryTimeout = 2 * timeout
