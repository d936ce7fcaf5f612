package natsjournal

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"axiom25/contracts"
)

const (
	// format is the version of what the streams hold.
	format = "1"
	// metaFormat and metaShards are what the metadata of the streams says of the store.
	metaFormat = "axiom25.format"
	metaShards = "axiom25.shards"
)

// layout says what the store's streams and subjects are called.
type layout struct {
	prefix string
	shards int
}

func (l layout) runStream(shard int) string { return fmt.Sprintf("%s_runs_%d", l.prefix, shard) }
func (l layout) listStream() string         { return l.prefix + "_list" }
func (l layout) keyStream() string          { return l.prefix + "_keys" }
func (l layout) toolStream() string         { return l.prefix + "_tools" }
func (l layout) leaseStream() string        { return l.prefix + "_leases" }

// shard returns where a run lies.
func (l layout) shard(id contracts.RunID) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return int(h.Sum32() % uint32(l.shards)) //nolint:gosec // 1..64
}

// run returns the subject of a run. The id must be one token: see validRun.
func (l layout) run(id contracts.RunID) string {
	return l.prefix + ".run." + strconv.Itoa(l.shard(id)) + "." + string(id)
}

// runsOf returns the subject of all runs of a shard.
func (l layout) runsOf(shard int) string { return l.prefix + ".run." + strconv.Itoa(shard) + ".*" }

// live returns the subject on which a run's chunks are published again once they are stored.
func (l layout) live(id contracts.RunID) string { return l.prefix + ".live.run." + string(id) }

// liveTools is where the catalogue's changes are published again.
func (l layout) liveTools() string { return l.prefix + ".live.tool.>" }

func (l layout) list(id contracts.RunID) string  { return l.prefix + ".list." + string(id) }
func (l layout) lease(id contracts.RunID) string { return l.prefix + ".lease." + string(id) }

// key returns the subject of an idempotency key, which can be any text.
func (l layout) key(key string) string {
	return l.prefix + ".key.k" + token(string(contracts.DigestText([]byte(key))))
}

// tool returns the subject of a version of a tool.
func (l layout) tool(name, version string) string {
	return l.prefix + ".tool.n" + token(name) + ".v" + token(version)
}

// token returns a text in the characters that a subject's token may have. Empty texts give an empty one.
func token(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// validRun reports whether an id can be a token of a subject. Others belong to no run.
func validRun(id contracts.RunID) bool {
	return id != "" && len(id) <= 128 && !strings.ContainsAny(string(id), ".*> \t\r\n\f\x00")
}

// lastToken returns the last token of a subject.
func lastToken(subject string) string { return subject[strings.LastIndexByte(subject, '.')+1:] }

// configs returns what the streams should be: the small ones first, so that the number of shards is settled before
// there are any. Where options leave something open, found says it.
func (l layout) configs(o Options) []jetstream.StreamConfig {
	base := jetstream.StreamConfig{
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew, // DiscardOld would drop events
		Replicas:    o.Replicas,
		AllowDirect: true,
		AllowRollup: true,
		AllowMsgTTL: true,
		MaxMsgs:     -1, MaxBytes: -1, MaxMsgsPerSubject: -1, MaxConsumers: -1, MaxMsgSize: -1,
		Metadata: map[string]string{metaFormat: format, metaShards: strconv.Itoa(l.shards)},
	}
	small := func(name string, subjects ...string) jetstream.StreamConfig {
		c := base
		c.Name, c.MaxMsgsPerSubject = name, 1
		c.Subjects = append(subjects, l.barriers(name))
		return c
	}
	tools := small(l.toolStream(), l.prefix+".tool.*.*")
	tools.RePublish = &jetstream.RePublish{Source: l.prefix + ".tool.*.*", Destination: l.prefix + ".live.tool.{{wildcard(1)}}.{{wildcard(2)}}"}
	configs := []jetstream.StreamConfig{
		small(l.listStream(), l.prefix+".list.*"),
		small(l.keyStream(), l.prefix+".key.*"),
		tools,
		small(l.leaseStream(), l.prefix+".lease.*"),
	}
	for shard := range l.shards {
		c := base
		c.Name = l.runStream(shard)
		subject := l.runsOf(shard)
		c.Subjects = []string{subject, l.barriers(c.Name)}
		c.RePublish = &jetstream.RePublish{Source: subject, Destination: l.prefix + ".live.run.{{wildcard(1)}}"}
		if o.Quota > 0 {
			c.MaxBytes = aboveQuota(o.Quota / int64(l.shards))
		}
		configs = append(configs, c)
	}
	return configs
}

// barriers is the subject of all barriers of a stream.
func (l layout) barriers(stream string) string { return l.prefix + ".barrier." + stream + ".*" }

// aboveQuota returns the max_bytes of a stream whose events may take quota bytes: a sixteenth and 64 MiB more, for
// barriers, tombstones and what several servers write at once before they notice.
func aboveQuota(quota int64) int64 { return quota + quota/16 + 64<<20 }

// belowMax is the inverse of aboveQuota; 0 where there is no limit.
func belowMax(maxBytes int64) int64 {
	if maxBytes <= 0 {
		return 0
	}
	return max((maxBytes-64<<20)/17*16, 1)
}

// openStore makes the streams that are missing and compares those that are there with the options. It returns the
// layout and the quota of each shard.
func openStore(ctx context.Context, js jetstream.JetStream, o Options) (layout, int64, error) {
	l := layout{prefix: o.Prefix, shards: o.Shards}
	first, err := js.Stream(ctx, l.listStream())
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		if o.Existing {
			return l, 0, noStream(l.listStream())
		}
		if l.shards == 0 {
			l.shards = 1
		}
	case err != nil:
		return l, 0, fmt.Errorf("look for stream %s: %w", l.listStream(), err)
	default:
		found, err := strconv.Atoi(first.CachedInfo().Config.Metadata[metaShards])
		if err != nil {
			return l, 0, fmt.Errorf("%w: stream %s is not of this program", ErrOptions, l.listStream())
		}
		if l.shards == 0 {
			l.shards = found
		}
		if o.Replicas == 0 {
			o.Replicas = first.CachedInfo().Config.Replicas
		}
	}
	if o.Replicas == 0 {
		if o.Replicas, err = replicasOf(ctx, js, l); err != nil {
			return l, 0, err
		}
	}
	quota := int64(0)
	for _, want := range l.configs(o) {
		have, err := ensureStream(ctx, js, want, o.Existing)
		if err != nil {
			return l, 0, err
		}
		if o.Quota == 0 {
			want.MaxBytes = have.MaxBytes
		}
		if difference := differ(have, want); difference != "" {
			return l, 0, fmt.Errorf("%w: stream %s has %s: give the settings that the store was made with, or change the stream",
				ErrOptions, want.Name, difference)
		}
		quota = belowMax(have.MaxBytes)
	}
	return l, quota, nil
}

// replicasOf returns how many replicas a new store has where nobody says: 3 where the cluster can hold as many.
func replicasOf(ctx context.Context, js jetstream.JetStream, l layout) (int, error) {
	config := l.configs(Options{Replicas: 3})[0]
	_, err := js.CreateStream(ctx, config)
	if err == nil || errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return 3, nil
	}
	if refusal, ok := errors.AsType[*jetstream.APIError](err); ok {
		if slices.Contains([]jetstream.ErrorCode{codeNoPeers, codeNotClustered, codeInsufficientResources}, refusal.ErrorCode) {
			return 1, nil
		}
	}
	return 0, fmt.Errorf("make stream %s: %w", config.Name, err)
}

// noStream says that a store lacks a stream.
func noStream(name string) error {
	return fmt.Errorf("%w: the cluster has no stream %s", ErrNoStore, name)
}

// ensureStream returns the stream of a name, which it makes where there is none, unless it must exist.
func ensureStream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig, exists bool) (jetstream.StreamConfig, error) {
	s, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if exists {
			return jetstream.StreamConfig{}, noStream(want.Name)
		}
		s, err = js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another server was faster
			s, err = js.Stream(ctx, want.Name)
		}
	}
	if err != nil {
		return jetstream.StreamConfig{}, fmt.Errorf("make stream %s: %w", want.Name, err)
	}
	return s.CachedInfo().Config, nil
}

// differ says in which setting a stream is not what it should be; empty where it is.
func differ(have, want jetstream.StreamConfig) string {
	slices.Sort(have.Subjects)
	slices.Sort(want.Subjects)
	settings := []struct {
		name       string
		have, want any
	}{
		{"subjects", fmt.Sprint(have.Subjects), fmt.Sprint(want.Subjects)},
		{"shards", have.Metadata[metaShards], want.Metadata[metaShards]},
		{"format", have.Metadata[metaFormat], want.Metadata[metaFormat]},
		{"replicas", have.Replicas, want.Replicas},
		{"max_bytes", have.MaxBytes, want.MaxBytes},
		{"max_msgs", max(have.MaxMsgs, -1), want.MaxMsgs},
		{"max_age", have.MaxAge, time.Duration(0)},
		{"max_msgs_per_subject", max(have.MaxMsgsPerSubject, -1), want.MaxMsgsPerSubject},
		{"storage", have.Storage, want.Storage},
		{"retention", have.Retention, want.Retention},
		{"discard", have.Discard, want.Discard},
		{"allow_direct", have.AllowDirect, true},
		{"allow_rollup_hdrs", have.AllowRollup, true},
		{"allow_msg_ttl", have.AllowMsgTTL, true},
		{"deny_delete", have.DenyDelete, false},
		{"deny_purge", have.DenyPurge, false},
		{"republish", describe(have.RePublish), describe(want.RePublish)},
	}
	for _, s := range settings {
		if s.have != s.want {
			return fmt.Sprintf("%s %v where %v is wanted", s.name, s.have, s.want)
		}
	}
	return ""
}

// describe returns a republishing rule as text.
func describe(r *jetstream.RePublish) string {
	if r == nil {
		return ""
	}
	return r.Source + " to " + r.Destination
}
