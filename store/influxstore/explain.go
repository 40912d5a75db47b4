package influxstore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// errSilent reports that no answer came from the server, or that it says it
// has no time.
var errSilent = errors.New("no answer")

// explain adds to an error of the client what a person can do about it. err is
// not nil.
func (s *Store) explain(ctx context.Context, err error) error {
	if given := ctx.Err(); given != nil {
		return fmt.Errorf("series store: %w", given)
	}
	answer, ok := errors.AsType[*influxhttp.Error](err)
	switch {
	case !ok || answer.StatusCode == 0:
		return fmt.Errorf("series store %s: %w: %w; see that InfluxDB runs there", s.o.URL, errSilent, err)
	case answer.StatusCode == http.StatusServiceUnavailable || answer.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("series store %s: %w: InfluxDB is busy: %w", s.o.URL, errSilent, err)
	}
	return fmt.Errorf("series store %s: bucket %q: %w; %s", s.o.URL, s.o.Bucket, err, s.remedy(answer))
}

func (s *Store) remedy(answer *influxhttp.Error) string {
	says := func(words string) bool { return strings.Contains(answer.Message, words) }
	switch {
	case says("Flux query service disabled"):
		return "set flux-enabled = true in section [http] of InfluxDB's configuration"
	case answer.StatusCode == http.StatusUnauthorized:
		return "the token is missing or wrong: give one that may read and write this bucket"
	case answer.StatusCode == http.StatusForbidden, says("not authorized"):
		return "the token is known but may not do this: give one that may read and write this bucket"
	case answer.StatusCode == http.StatusNotFound, says("no database"), says("retention policy"):
		return fmt.Sprintf("there is no such bucket in organisation %q, or the token may not see it: create it (influx bucket create -n %s), or name another", s.o.Org, s.o.Bucket)
	case says("field type conflict"):
		return "another program writes the measurement " + measurement + " to this bucket: give this server a bucket of its own"
	case answer.StatusCode == http.StatusRequestEntityTooLarge:
		return "InfluxDB takes too small requests: raise max-body-size in its configuration"
	}
	return "InfluxDB's own log says more"
}
