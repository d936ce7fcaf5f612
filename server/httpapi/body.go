package httpapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"axiom25/contracts"
)

// The media types that the API speaks.
const (
	mediaJSON   = "application/json"
	mediaNDJSON = "application/x-ndjson"
	mediaSSE    = "text/event-stream"
)

// readBody returns a request's body of one of the media types. Of a body that is larger than limit, in bytes, it
// returns the first limit+1: package contracts then refuses it with the problem that the browser shows as well.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, types ...string) ([]byte, error) {
	if err := checkMediaType(r, types); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit+1))
	if _, large := errors.AsType[*http.MaxBytesError](err); err != nil && !large {
		return nil, malformed("the body did not arrive whole")
	}
	if err == nil {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // lifted, as net/http now waits for the client to go
	}
	return body, nil
}

// readDocument returns a body that is one JSON document.
func readDocument(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return readBody(w, r, contracts.MaxDocumentBytes, mediaJSON)
}

// checkMediaType refuses bodies that are not of one of the media types, or not as they are: a compressed body could
// be a thousand times what it seems.
func checkMediaType(r *http.Request, types []string) error {
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return contracts.NewProblem(contracts.ProblemUnsupportedMediaType, "send the body without a content coding")
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(types, media) {
		return contracts.NewProblem(contracts.ProblemUnsupportedMediaType, "send Content-Type: "+strings.Join(types, " or "))
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return contracts.NewProblem(contracts.ProblemUnsupportedMediaType, "JSON is UTF-8 (RFC 8259, section 8.1)")
	}
	return nil
}

// negotiate returns which of the offered media types a request prefers (RFC 9110, section 12.5.1); of equal ones the
// first. The error is not-acceptable.
func negotiate(r *http.Request, offers ...string) (string, error) {
	best, weight := "", 0.0
	for _, offer := range offers {
		if q := quality(r, offer); q > weight {
			best, weight = offer, q
		}
	}
	if best == "" {
		return "", contracts.NewProblem(contracts.ProblemNotAcceptable, "this route gives "+strings.Join(offers, " or "))
	}
	return best, nil
}

// quality returns the weight that a request gives to a media type, 0..1: that of the most specific range that
// covers it, or 1 where the request has no Accept.
func quality(r *http.Request, media string) float64 {
	header := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(header) == "" {
		return 1
	}
	kind, _, _ := strings.Cut(media, "/")
	weight, specific := 0.0, 0
	for part := range strings.SplitSeq(header, ",") {
		covers, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		depth := 0
		switch covers {
		case media:
			depth = 3
		case kind + "/*":
			depth = 2
		case "*/*":
			depth = 1
		}
		if depth <= specific {
			continue
		}
		q := 1.0
		if text, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				q = 0
			}
		}
		weight, specific = q, depth
	}
	return weight
}

// writeJSON answers with a value as package contracts writes it.
func writeJSON(w http.ResponseWriter, status int, value any) error {
	body, err := contracts.Encode(value)
	if err != nil {
		return err
	}
	return writeBody(w, status, mediaJSON, body)
}

// writeBody answers with bytes.
func writeBody(w http.ResponseWriter, status int, media string, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, err := w.Write(body) //nolint:gosec // never HTML: the media type says so, and nosniff forbids to guess
	return err
}
