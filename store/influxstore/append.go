package influxstore

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"

	"nirapod/store"
)

// maxLines bounds one request: about half a megabyte, and far below the
// 25 MB that InfluxDB takes.
const maxLines = 5000

// Append implements store.Store. InfluxDB keeps the last of several values for
// one instant of one quality; of several qualities Query tells the worst.
func (s *Store) Append(ctx context.Context, samples []store.Sample) error {
	if err := ctx.Err(); err != nil || len(samples) == 0 {
		return err
	}
	var rejected []store.Rejection
	accepted := make([]int, 0, len(samples))
	for i := range samples {
		if storable(&samples[i]) {
			accepted = append(accepted, i)
		} else {
			rejected = append(rejected, store.Rejection{Index: i, Reason: store.RejectInvalid})
		}
	}
	for part := range slices.Chunk(accepted, maxLines) {
		late, err := s.send(ctx, samples, part)
		if err != nil {
			return err
		}
		rejected = append(rejected, late...)
	}
	if len(rejected) == 0 {
		return nil
	}
	slices.SortFunc(rejected, func(a, b store.Rejection) int { return cmp.Compare(a.Index, b.Index) })
	return &store.RejectedError{Samples: rejected}
}

// send writes the samples named by their indexes. What InfluxDB refuses for
// ever it counts but does not name, so it is found by halving. What was
// written on the way is written again, which changes nothing.
func (s *Store) send(ctx context.Context, samples []store.Sample, part []int) ([]store.Rejection, error) {
	err := s.post(ctx, samples, part)
	if err == nil {
		return nil, nil
	}
	reason, dropped := refusal(err)
	switch {
	case reason == "":
		return nil, s.explain(ctx, err)
	case dropped == 0:
		return nil, nil
	case dropped >= len(part):
		rejected := make([]store.Rejection, len(part))
		for i, index := range part {
			rejected[i] = store.Rejection{Index: index, Reason: reason}
		}
		return rejected, nil
	}
	// Oldest first: what is beyond the retention lies together.
	part = slices.Clone(part)
	slices.SortStableFunc(part, func(a, b int) int { return samples[a].At.Compare(samples[b].At) })
	middle := len(part) / 2
	older, err := s.send(ctx, samples, part[:middle])
	if err != nil {
		return nil, err
	}
	newer, err := s.send(ctx, samples, part[middle:])
	return append(older, newer...), err
}

func (s *Store) post(ctx context.Context, samples []store.Sample, part []int) error {
	s.lines.buf = s.lines.buf[:0]
	for _, i := range part {
		s.lines.add(&samples[i])
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Patience)
	defer cancel()
	return s.write.WriteRecord(ctx, string(s.lines.buf))
}

var partial = regexp.MustCompile(`partial write: .* dropped=(\d+)`)

// refusal returns why InfluxDB has dropped points for ever and how many; ""
// when err is anything else. A type conflict is none: a person can mend it, so
// the samples must stay where they are.
func refusal(err error) (reason string, dropped int) {
	answer, ok := errors.AsType[*influxhttp.Error](err)
	if !ok {
		return "", 0
	}
	found := partial.FindStringSubmatch(answer.Message)
	if found == nil {
		return "", 0
	}
	switch {
	case strings.Contains(answer.Message, "beyond retention policy"):
		reason = store.RejectTooOld
	case strings.Contains(answer.Message, "max key size exceeded"):
		reason = store.RejectInvalid
	default:
		return "", 0
	}
	dropped, err = strconv.Atoi(found[1])
	if err != nil {
		return "", 0
	}
	return reason, dropped
}
