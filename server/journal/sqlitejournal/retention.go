package sqlitejournal

import (
	"context"
	"errors"

	"axiom25/contracts"
	"axiom25/server/journal"
)

// Finished implements journal.Retention.
func (j *Journal) Finished(context.Context, contracts.Time, int) ([]contracts.Summary, error) {
	return nil, errors.ErrUnsupported
}

// Prune implements journal.Retention.
func (j *Journal) Prune(context.Context, contracts.RunID, int) (bool, error) {
	return false, errors.ErrUnsupported
}

// Size implements journal.Retention.
func (j *Journal) Size(context.Context) (journal.Size, error) {
	return journal.Size{}, errors.ErrUnsupported
}

// Verify implements journal.Retention.
func (j *Journal) Verify(context.Context, func(error) error) (journal.Size, error) {
	return journal.Size{}, errors.ErrUnsupported
}
