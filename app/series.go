package app

import (
	"context"
	"net/url"
	"path/filepath"
	"time"

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
	Retention time.Duration `yaml:"retention"` // tsdb: 0 = keep everything
	Block     time.Duration `yaml:"block"`     // tsdb: what one block covers

	URL       string `yaml:"url"`        // influx, as all below
	TokenFile string `yaml:"token_file"` // "" = the server asks for none
	Org       string `yaml:"org"`
	Bucket    string `yaml:"bucket"`
	CAFile    string `yaml:"tls_ca"` // "" = the system's
}

func (c SeriesConfig) check(mistake func(path, format string, args ...any)) {
	switch c.Kind {
	case TSDB:
		for path, word := range map[string]string{"url": c.URL, "token_file": c.TokenFile, "org": c.Org, "bucket": c.Bucket, "tls_ca": c.CAFile} {
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
		if c.Retention > 0 {
			mistake("series.retention", "%v belongs to kind tsdb; set it on the bucket", c.Retention)
		}
	default:
		mistake("series.kind", "%q: want tsdb or influx", c.Kind)
	}
	if c.Block < time.Second || c.Block > 24*time.Hour {
		mistake("series.block", "%v: want 1s to 24h", c.Block)
	}
	if c.Retention < 0 {
		mistake("series.retention", "%v: want 0 (keep everything) or more", c.Retention)
	}
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
