package sqlitejournal

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

// schemaFiles holds the steps from an empty file to the schema that this version reads, in the order of their
// names. A step that was released is never edited; a change is a new step.
//
//go:embed schema/*.sql
var schemaFiles embed.FS

// applicationID stands in the header of the file ("Ax25") and tells it from other programs' databases.
const applicationID = 0x41783235

var (
	// ErrNewerSchema says that the file was written by a newer version of this program.
	ErrNewerSchema = errors.New("sqlitejournal: the file's schema is newer than this program")
	// ErrForeignFile says that the file is a database of another program.
	ErrForeignFile = errors.New("sqlitejournal: the file belongs to another program")
)

// schemaSteps returns the texts of the steps; step i leads from user_version i to i+1.
func schemaSteps() ([]string, error) {
	names, err := fs.Glob(schemaFiles, "schema/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list schema steps: %w", err)
	}
	steps := make([]string, 0, len(names))
	for _, name := range names {
		text, err := schemaFiles.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read schema step: %w", err)
		}
		steps = append(steps, string(text))
	}
	return steps, nil
}

// migrate takes the file to the newest schema, each step in a transaction of its own, so that an interrupted
// migration goes on where it stopped.
func migrate(ctx context.Context, conn *sql.Conn, steps []string) error {
	found, err := readVersion(ctx, conn)
	if err != nil {
		return err
	}
	if found.app != applicationID && found.tables > 0 {
		return ErrForeignFile
	}
	if err := found.known(len(steps)); err != nil {
		return err
	}
	for version := found.schema; version < len(steps); version++ {
		if err := migrateStep(ctx, conn, version, steps[version]); err != nil {
			return fmt.Errorf("migrate to schema version %d: %w", version+1, err)
		}
	}
	return nil
}

// fileVersion is what a file says about itself.
type fileVersion struct {
	schema, app, tables int
}

// readVersion reads it.
func readVersion(ctx context.Context, conn *sql.Conn) (fileVersion, error) {
	var v fileVersion
	row := conn.QueryRowContext(ctx, `SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_user_version, pragma_application_id`)
	if err := row.Scan(&v.schema, &v.app, &v.tables); err != nil {
		return fileVersion{}, fmt.Errorf("read schema version: %w", err)
	}
	return v, nil
}

// known returns ErrNewerSchema where there are not steps enough to the file's schema.
func (v fileVersion) known(steps int) error {
	if v.schema > steps {
		return fmt.Errorf("%w: version %d, known up to %d", ErrNewerSchema, v.schema, steps)
	}
	return nil
}

// migrateStep applies one step and counts it, both or neither.
func migrateStep(ctx context.Context, conn *sql.Conn, version int, step string) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, text := range []string{
		step,
		fmt.Sprintf("PRAGMA application_id = %d", applicationID),
		fmt.Sprintf("PRAGMA user_version = %d", version+1),
	} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}
