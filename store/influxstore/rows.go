package influxstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api/query"
)

var errStalled = errors.New("InfluxDB stopped in the middle of an answer")

// rows runs a query and calls each for every row; another says that the row is
// the first of its table. An answer that ends early is an error: a connection
// that breaks shows in the transport's framing, a query that breaks sends an
// error table.
func (s *Store) rows(ctx context.Context, flux string, each func(another bool, r *query.FluxRecord)) error {
	asking, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	patience := time.AfterFunc(s.o.Patience, func() { cancel(errStalled) })
	defer patience.Stop()
	result, err := s.query.Query(asking, flux)
	if err != nil {
		return s.explain(ctx, err)
	}
	for last := int64(-1); result.Next(); {
		patience.Reset(s.o.Patience)
		// Tables with the same columns share one heading, and TableChanged
		// speaks of headings.
		table, _ := result.Record().ValueByKey("table").(int64)
		each(table != last, result.Record())
		last = table
	}
	switch err := result.Err(); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("series store: %w", ctx.Err())
	case errors.Is(context.Cause(asking), errStalled):
		return fmt.Errorf("series store %s: %w for %v", s.o.URL, errStalled, s.o.Patience)
	default:
		return fmt.Errorf("series store %s: the answer broke off: %w", s.o.URL, err)
	}
}
