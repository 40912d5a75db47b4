package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

func itoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// ownImages run nothing but one of the three programs.
var ownImages = []string{"nirapod:local", "nirapod-gateway-agent:local", "nirapod-firmware-sim:local"}

func TestServicesAreHardenedAndComeBack(t *testing.T) {
	eachStack(t, func(t *testing.T, p *types.Project) {
		for name, s := range p.Services {
			if s.Restart != types.RestartPolicyAlways && name != "influx-setup" {
				t.Errorf("%s: restart %q", name, s.Restart)
			}
			if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
				t.Errorf("%s may gain privileges", name)
			}
			if name == "influxdb" {
				continue // its image starts as root to own its files, and then is influxdb
			}
			if s.User == "" || strings.HasPrefix(s.User, "0") || s.User == "root" {
				t.Errorf("%s runs as %q", name, s.User)
			}
			if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) {
				t.Errorf("%s: read_only %v, cap_drop %v", name, s.ReadOnly, s.CapDrop)
			}
			if s.Privileged || len(s.CapAdd) > 0 || s.NetworkMode == "host" || s.Pid != "" {
				t.Errorf("%s reaches into the host", name)
			}
			if slices.Contains(ownImages, s.Image) && len(s.Environment) > 0 {
				t.Errorf("%s: our programs read no environment, and it has %v", name, s.Environment)
			}
			if grace := s.StopGracePeriod; s.Image == ownImages[0] && (grace == nil || time.Duration(*grace) < 15*time.Second) {
				t.Errorf("%s: killed %v after it was asked to end", name, grace)
			}
		}
	})
}

// influxEnv are the variables that the image of InfluxDB 2 documents and that
// are in use here.
var influxEnv = []string{
	"DOCKER_INFLUXDB_INIT_MODE", "DOCKER_INFLUXDB_INIT_USERNAME", "DOCKER_INFLUXDB_INIT_PASSWORD_FILE",
	"DOCKER_INFLUXDB_INIT_ADMIN_TOKEN_FILE", "DOCKER_INFLUXDB_INIT_ORG", "DOCKER_INFLUXDB_INIT_BUCKET", "INFLUXD_REPORTING_DISABLED",
}

func TestNoPasswordIsShipped(t *testing.T) {
	eachStack(t, func(t *testing.T, p *types.Project) {
		for name, s := range p.Services {
			for key := range s.Environment {
				if !slices.Contains(influxEnv, key) {
					t.Errorf("%s: nobody reads %s", name, key)
				}
				if secret := regexp.MustCompile("PASSWORD|TOKEN|SECRET"); secret.MatchString(key) && !strings.HasSuffix(key, "_FILE") {
					t.Errorf("%s: %s is no file", name, key)
				}
			}
		}
		for name, secret := range p.Secrets {
			if filepath.Base(filepath.Dir(secret.File)) != "secrets" || secret.Environment != "" || secret.Content != "" {
				t.Errorf("secret %s comes from %+v", name, secret)
			}
		}
	})
	ignored, err := os.ReadFile("../.gitignore")
	if err != nil || !strings.Contains(string(ignored), "\n/deploy/secrets/\n") {
		t.Errorf("secrets could get into the repository: %v", err)
	}
}

func TestFilesAreThereAndImagesPinned(t *testing.T) {
	eachStack(t, func(t *testing.T, p *types.Project) {
		for name, c := range p.Configs {
			if _, err := os.Stat(c.File); err != nil && filepath.Base(c.File) != "site.yaml" { // the operator's own
				t.Errorf("config %s: %v", name, err)
			}
		}
		for name, s := range p.Services {
			if slices.Contains(ownImages, s.Image) {
				if root, err := filepath.Abs(".."); err != nil || s.Build == nil || s.Build.Context != root {
					t.Errorf("%s: built from %+v: %v", name, s.Build, err)
				}
			} else if !pinned.MatchString(s.Image) {
				t.Errorf("%s: image %s is not pinned", name, s.Image)
			}
			for _, v := range s.Volumes {
				if _, known := p.Volumes[v.Source]; v.Type != types.VolumeTypeVolume || !known {
					t.Errorf("%s: mounts %s", name, v.Source)
				}
			}
		}
	})
}

// pinned wants a version of three parts.
var pinned = regexp.MustCompile(`:\d+\.\d+\.\d+(-[a-z0-9-]+)?$`)
