package natsjournal

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Options say where the store is and what it is made of. Streams are made by the first Open; a later one that asks for
// something else is refused.
type Options struct {
	// URLs are the servers to try, at least one.
	URLs []string
	// Credentials is the path of a credentials file, empty for none. A token, or a user and password, can stand in a URL.
	Credentials string
	// Token is what the servers ask for, where they do.
	Token string
	// TLS is how to speak with the servers; nil leaves it to the URLs' scheme.
	TLS *tls.Config

	// Prefix begins the names of all streams and subjects: ASCII letters, digits, - and _. Empty stands for axiom25. Two
	// stores can lie in one cluster under two prefixes.
	Prefix string
	// Shards is over how many streams runs are spread, 1..64; 0 takes what is there, and 1 in a new store. It cannot be
	// changed later. One to four a disk are of use: each has its own fsyncs.
	Shards int
	// Replicas is how many servers have each stream, 1..5; 0 takes what is there, and in a new store 3 where the cluster
	// has as many, else 1.
	Replicas int
	// Quota is how many bytes the runs may take on each server, over all shards; 0 takes what is there, and in a new store
	// leaves it to the server's own limits. Where it is reached appends give journal.ErrFull. The streams' max_bytes are
	// set above it, so that the tombstones of runs that are pruned find room.
	Quota int64

	// Existing makes no streams: where the store is not there, or not whole, Open gives ErrNoStore. It is for who only reads.
	Existing bool

	// Sweep is how often runs that are watched are compared with the store; 0 stands for 5 s.
	Sweep time.Duration
	// Queue is how many writes may be on their way before journal.ErrBusy; 0 stands for 1024.
	Queue int
	// Log is told of connections lost and found; nil for nobody.
	Log *slog.Logger
}

// prefixPattern is what a prefix may be.
var prefixPattern = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,32}$`)

// ErrOptions says that options make no sense, or are not those of the store.
var ErrOptions = errors.New("natsjournal: options")

// ErrNoStore says that the cluster has no store under the prefix, where Options.Existing asks for one.
var ErrNoStore = errors.New("natsjournal: there is no store")

// withDefaults returns the options with the zeros replaced that do not depend on the store, or why they make no sense.
func (o Options) withDefaults() (Options, error) {
	if o.Prefix == "" {
		o.Prefix = "axiom25"
	}
	if o.Sweep == 0 {
		o.Sweep = 5 * time.Second
	}
	if o.Queue == 0 {
		o.Queue = 1024
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case len(o.URLs) == 0:
		return o, fmt.Errorf("%w: no server", ErrOptions)
	case !prefixPattern.MatchString(o.Prefix):
		return o, fmt.Errorf("%w: a prefix has 1 to 32 letters, digits, - and _", ErrOptions)
	case o.Shards < 0 || o.Shards > 64:
		return o, fmt.Errorf("%w: want 1 to 64 shards", ErrOptions)
	case o.Replicas < 0 || o.Replicas > 5:
		return o, fmt.Errorf("%w: want 1 to 5 replicas", ErrOptions)
	case o.Quota != 0 && o.Quota < 64<<20:
		return o, fmt.Errorf("%w: a quota is at least 64 MiB", ErrOptions)
	}
	return o, nil
}

// ParseURL reads options as one argument gives them: addresses with commas between, then what else is to be said:
//
//	nats://a:4222,nats://b:4222/?shards=2&replicas=3&quota=100GiB&prefix=axiom25&creds=/path&ca=/path&cert=/path&key=/path
//
// Its errors name settings, never values, since those can be secrets.
func ParseURL(text string) (Options, error) {
	var o Options
	addresses, query, _ := strings.Cut(text, "?")
	for address := range strings.SplitSeq(addresses, ",") {
		address = strings.TrimSuffix(strings.TrimSpace(address), "/")
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" && u.Scheme != "ws" && u.Scheme != "wss" {
			return o, fmt.Errorf("%w: want addresses as nats://host:port or tls://host:port, with commas between", ErrOptions)
		}
		o.URLs = append(o.URLs, address)
	}
	settings, err := url.ParseQuery(query)
	if err != nil {
		return o, fmt.Errorf("%w: what follows the ? is no query", ErrOptions)
	}
	var files tlsFiles
	for name, values := range settings {
		value := values[len(values)-1]
		var err error
		switch name {
		case "shards":
			o.Shards, err = strconv.Atoi(value)
		case "replicas":
			o.Replicas, err = strconv.Atoi(value)
		case "quota":
			o.Quota, err = parseBytes(value)
		case "prefix":
			o.Prefix = value
		case "creds":
			o.Credentials = value
		case "ca":
			files.ca = value
		case "cert":
			files.cert = value
		case "key":
			files.key = value
		default:
			return o, fmt.Errorf("%w: unknown setting %q; there are shards, replicas, quota, prefix, creds, ca, cert, key", ErrOptions, name)
		}
		if err != nil {
			return o, fmt.Errorf("%w: %s is not a number", ErrOptions, name)
		}
	}
	if o.TLS, err = files.config(); err != nil {
		return o, err
	}
	_, err = o.withDefaults()
	return o, err
}

// parseBytes reads a number of bytes: 1000, 64MiB, 100GiB, 2TiB.
func parseBytes(text string) (int64, error) {
	shift := 0
	for unit, bits := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40} {
		if number, found := strings.CutSuffix(text, unit); found {
			text, shift = number, bits
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil && (n < 0 || n > 1<<62>>shift) {
		return 0, strconv.ErrRange
	}
	return n << shift, err
}

// tlsFiles are the paths of PEM files.
type tlsFiles struct {
	ca, cert, key string
}

// config reads the files; nil where there are none.
func (f tlsFiles) config() (*tls.Config, error) {
	if f == (tlsFiles{}) {
		return nil, nil //nolint:nilnil // no files, no configuration
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, fmt.Errorf("%w: ca: %w", ErrOptions, err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%w: ca: no certificate in the file", ErrOptions)
		}
	}
	if f.cert != "" || f.key != "" {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, fmt.Errorf("%w: cert and key: %w", ErrOptions, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
