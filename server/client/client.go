// Package client speaks to an Axiom25 server over HTTP: it creates runs, asks for their end, and follows them.
//
// A follower sees every event of a run once, in order, whatever happens to its connections: its cursor is the last
// event that it handed on, never the last id that it saw.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"axiom25/contracts"
)

// maxAnswerBytes bounds what is read of an answer that is not a stream.
const maxAnswerBytes = 4 << 20

// Notice is something that a follower tells the person behind it.
type Notice struct {
	// Cause is why the connection ended.
	Cause error
	// Attempt counts the connections that failed since the last event, from 1.
	Attempt int
	// Wait is how long the follower waits before the next one.
	Wait time.Duration
}

// Client is one server's address and the way to it. Its methods may be called from any number of goroutines.
type Client struct {
	base  *url.URL
	token string
	http  *http.Client

	// OnRetry, where not nil, is told before a follower waits to connect again. It is set before the first use.
	OnRetry func(Notice)
	// Quiet is how long a stream may be silent before it counts as lost; 45 s, three heartbeats of the server, in a
	// client that New made.
	Quiet time.Duration
	// Backoff is the wait before the first reconnection, which doubles up to MaxBackoff; 250 ms and 8 s in a client
	// that New made.
	Backoff, MaxBackoff time.Duration
}

// New returns a client of the server at address, such as http://127.0.0.1:8025. token may be empty. The error says
// what is wrong with the address.
func New(address, token string, h *http.Client) (*Client, error) {
	base, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("server address: %w", err)
	}
	if base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, errors.New("server address: want http://HOST:PORT or https://HOST:PORT")
	}
	return &Client{
		base: base, token: token, http: h,
		Quiet: 45 * time.Second, Backoff: 250 * time.Millisecond, MaxBackoff: 8 * time.Second,
	}, nil
}

// Create submits a TaskSpec's bytes. The error is a *contracts.Problem where the server refused them.
func (c *Client) Create(ctx context.Context, doc []byte) (contracts.Created, error) {
	var created contracts.Created
	err := c.post(ctx, "/runs", doc, &created)
	return created, err
}

// Cancel asks a run to end. It returns before the run has ended. The error is a *contracts.Problem where the server
// refused.
func (c *Client) Cancel(ctx context.Context, id contracts.RunID, reason string) error {
	body, err := contracts.Encode(contracts.CancelRequest{Reason: reason})
	if err != nil {
		return fmt.Errorf("cancel request: %w", err)
	}
	return c.post(ctx, "/runs/"+id.String()+"/cancel", body, nil)
}

// Snapshot returns a run as it stands. The error is a *contracts.Problem where the server refused.
func (c *Client) Snapshot(ctx context.Context, id contracts.RunID) (contracts.Snapshot, error) {
	var run contracts.Snapshot
	err := c.send(ctx, call{method: http.MethodGet, path: "/runs/" + id.String(), out: &run})
	return run, err
}

// post sends a JSON body and reads the answer into out, where out is not nil.
func (c *Client) post(ctx context.Context, path string, body []byte, out any) error {
	req, err := c.request(ctx, http.MethodPost, path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	defer res.Body.Close() //nolint:errcheck // a body that was read or given up has nothing left to say

	if res.StatusCode >= http.StatusBadRequest {
		return problemOf(res)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswerBytes)).Decode(out); err != nil {
		return fmt.Errorf("server's answer: %w", err)
	}
	return nil
}

// request makes a request to a path of the server, with the token.
func (c *Client) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base.JoinPath(path).String(), body)
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req, nil
}

// problemOf reads the problem document of an answer, or makes one of its status line.
func problemOf(res *http.Response) error {
	media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err == nil && media == contracts.ProblemMediaType {
		var p contracts.Problem
		if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswerBytes)).Decode(&p); err == nil && p.Type != "" {
			return &p
		}
	}
	return &StatusError{Code: res.StatusCode, Status: strings.TrimSpace(res.Status)}
}

// StatusError is an answer that is neither a success nor a problem document, as a proxy gives it.
type StatusError struct {
	// Code is the HTTP status code and Status the whole status.
	Code   int
	Status string
}

// Error implements error.
func (e *StatusError) Error() string { return "server answered " + e.Status }
