package app

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"nirapod/safety"
	"nirapod/store"
	"nirapod/store/influxstore"
	"nirapod/store/tsdbstore"
)

// SeriesKind says which store keeps the readings.
type SeriesKind string

// The kinds.
const (
	TSDB   SeriesKind = "tsdb"   // embedded; one process owns it
	Influx SeriesKind = "influx" // a server, which several processes may ask
)

// influxWait is how long a start waits for InfluxDB, which after a power cut
// may come up later than this program.
const influxWait = time.Minute

// SeriesConfig says where readings are kept.
type SeriesConfig struct {
	Kind      SeriesKind    `yaml:"kind"`
	Retention time.Duration `yaml:"retention"` // 0 = keep everything; influx: what SetUpInflux gives the bucket
	Block     time.Duration `yaml:"block"`     // tsdb: what one block covers

	URL       string `yaml:"url"`        // influx, as all below
	TokenFile string `yaml:"token_file"` // "" = the server asks for none
	Org       string `yaml:"org"`
	Bucket    string `yaml:"bucket"`
	CAFile    string `yaml:"tls_ca"` // "" = the system's

	MinutesBucket    string        `yaml:"minutes_bucket"` // influx, as below: of SetUpInflux; "" = the bucket's name and _1m
	MinutesRetention time.Duration `yaml:"minutes_retention"`
}

func (c SeriesConfig) check(mistake func(path, format string, args ...any)) {
	switch c.Kind {
	case TSDB:
		for path, word := range map[string]string{"url": c.URL, "token_file": c.TokenFile, "org": c.Org, "bucket": c.Bucket, "tls_ca": c.CAFile, "minutes_bucket": c.MinutesBucket} {
			if word != "" {
				mistake("series."+path, "%q belongs to kind influx; the kind is tsdb", word)
			}
		}
	case Influx:
		if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			mistake("series.url", "%q: want http://host:port or https://host:port of InfluxDB", c.URL)
		}
		if c.Bucket == "" {
			mistake("series.bucket", "is missing: name a bucket that nothing else writes to")
		}
	default:
		mistake("series.kind", "%q: want tsdb or influx", c.Kind)
	}
	if c.Block < time.Second || c.Block > 24*time.Hour {
		mistake("series.block", "%v: want 1s to 24h", c.Block)
	}
	for path, d := range map[string]time.Duration{"series.retention": c.Retention, "series.minutes_retention": c.MinutesRetention} {
		if d < 0 {
			mistake(path, "%v: want 0 (keep everything) or more", d)
		}
	}
}

// SetUpInflux makes in InfluxDB 2 what c asks for and returns in words what it
// did. operatorFile holds a token that may manage the organisation; shorten
// allows it to forget readings.
func SetUpInflux(ctx context.Context, c SeriesConfig, operatorFile string, shorten bool) ([]string, error) {
	if c.Kind != Influx {
		return nil, fmt.Errorf("series.kind is %s: there is an InfluxDB to set up only with influx: %w", c.Kind, safety.ErrInvalid)
	}
	operator, err := readSecret(operatorFile)
	if err != nil {
		return nil, err
	}
	trusted, err := trust(c.CAFile)
	if err != nil {
		return nil, err
	}
	return influxstore.Provision(ctx, influxstore.Plan{
		URL: c.URL, Org: c.Org, TLS: trusted, OperatorToken: operator, TokenFile: c.TokenFile, Shorten: shorten,
		Readings: influxstore.Bucket{Name: c.Bucket, Retain: c.Retention},
		Minutes:  influxstore.Bucket{Name: cmp.Or(c.MinutesBucket, c.Bucket+"_1m"), Retain: c.MinutesRetention},
	})
}

// OpenSeries opens the series store of c for a look at the past. The embedded
// one has one owner: it cannot be opened while a server runs.
func OpenSeries(ctx context.Context, c Config, log *slog.Logger) (store.Store, error) {
	series, err := (&Server{cfg: c, log: log, metrics: prometheus.NewRegistry()}).seriesStore(ctx)
	if err != nil && c.Series.Kind == TSDB {
		return nil, fmt.Errorf("series store in %s: %w; the embedded store has one owner: if the server runs, stop it, or work on a copy of data_dir", c.DataDir, err)
	}
	return series, err
}

func (s *Server) openSeries(ctx context.Context) error {
	series, err := s.seriesStore(ctx)
	if err != nil {
		return err
	}
	s.series = series
	s.closers = append(s.closers, series.Close)
	return nil
}

func (s *Server) seriesStore(ctx context.Context) (store.Store, error) {
	c, log := s.cfg.Series, s.log.With("part", "series")
	if c.Kind != Influx {
		return tsdbstore.Open(filepath.Join(s.cfg.DataDir, "series"), tsdbstore.Options{
			Retention: c.Retention, Block: c.Block, Registerer: s.metrics,
		}, log)
	}
	trusted, err := trust(c.CAFile)
	if err != nil {
		return nil, err
	}
	o := influxstore.Options{URL: c.URL, Org: c.Org, Bucket: c.Bucket, TLS: trusted, Wait: influxWait}
	if c.TokenFile != "" {
		if o.Token, err = readSecret(c.TokenFile); err != nil {
			return nil, err
		}
	}
	return influxstore.Open(ctx, o, log)
}
