package app

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"nirapod/internal/mosquitto"
	"nirapod/state"
)

// MosquittoConfig says that the broker is a Mosquitto of this host, whose
// password and access files are kept here.
type MosquittoConfig struct {
	Dir     string `yaml:"dir"`      // "" = the broker is not a Mosquitto of ours
	PIDFile string `yaml:"pid_file"` // "" = somebody else tells it to read its files again
}

func (c MosquittoConfig) check(cfg Config, roles Roles, mistake func(path, format string, args ...any)) {
	switch {
	case c.Dir == "" && c.PIDFile != "":
		mistake("broker.mosquitto.dir", "is missing: name the directory of Mosquitto's files")
	case c.Dir == "":
	case !filepath.IsAbs(c.Dir):
		mistake("broker.mosquitto.dir", "%q: want an absolute path, as Mosquitto's own file names it", c.Dir)
	case cfg.Broker.URL == "":
		mistake("broker.url", "is missing: name Mosquitto's door for the server")
	case roles[RoleBroker]:
		mistake("broker.mosquitto.dir", "the broker is Mosquitto: take broker from the roles of this process (%s)", roles)
	case within(c.Dir, cfg.DataDir):
		mistake("broker.mosquitto.dir", "%q lies in data_dir, which Mosquitto cannot enter", c.Dir)
	}
}

func within(dir, parent string) bool {
	rel, err := filepath.Rel(parent, dir)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// KeepMosquitto writes Mosquitto's files from the state, if the broker is one,
// and tells it to read them again when they changed. The warning, "" for none,
// says what is left for a person to do.
func KeepMosquitto(ctx context.Context, db *state.DB, cfg Config) (warning string, err error) {
	c := cfg.Broker.Mosquitto
	if c.Dir == "" {
		return "", nil
	}
	var old []string
	changed, err := mosquitto.Write(c.Dir, func() (u mosquitto.Users, err error) {
		u, old, err = mosquittoUsers(ctx, db, cfg.DataDir)
		return u, err
	})
	if err != nil {
		return "", err
	}
	var warnings []string
	if len(old) > 0 {
		warnings = append(warnings, fmt.Sprintf("Mosquitto shuts out %s, whose passwords are from before its files were kept: run `nirapod gateway add` for each", strings.Join(old, ", ")))
	}
	if changed && c.PIDFile == "" {
		warnings = append(warnings, "tell Mosquitto to read its files again (systemctl reload mosquitto): until then the old ones hold")
	} else if changed {
		if err := mosquitto.Reload(c.PIDFile); err != nil {
			warnings = append(warnings, fmt.Sprintf("Mosquitto was not told to read its files again (%v): reload or start it; until then the old ones hold", err))
		}
	}
	return strings.Join(warnings, "; "), nil
}

// mosquittoUsers returns who may come in, and the gateways for which the state
// holds no password that Mosquitto understands.
func mosquittoUsers(ctx context.Context, db *state.DB, dataDir string) (u mosquitto.Users, old []string, err error) {
	if u.Secret, err = secret(dataDir, serverSecret); err != nil {
		return u, nil, err
	}
	all, err := db.GatewayCredentials(ctx)
	if err != nil {
		return u, nil, err
	}
	for _, c := range all {
		if c.Mosquitto == "" {
			old = append(old, c.Username)
			continue
		}
		u.Gateways = append(u.Gateways, mosquitto.Gateway{Factory: c.Factory, ID: c.Gateway, Hash: c.Mosquitto})
	}
	return u, old, nil
}
