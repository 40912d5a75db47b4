package influxstore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/influxdata/influxdb-client-go/v2/domain"
)

const operator = "operator-token-of-the-test"

// influx2 answers the requests of Provision as InfluxDB 2 documents it, and
// writes them down. It is no InfluxDB: it runs no task and keeps no reading.
type influx2 struct {
	*httptest.Server
	hashed bool // it shows no token but once, as from 2.9 on

	asked   bytes.Buffer
	buckets []domain.Bucket
	auths   []domain.Authorization
	tokens  map[string]string // token by id of its authorization
	tasks   []domain.Task
}

func newInflux2(t *testing.T) *influx2 {
	f := &influx2{tokens: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v2/orgs", f.listOrgs)
	mux.HandleFunc("GET /api/v2/buckets", f.listBuckets)
	mux.HandleFunc("POST /api/v2/buckets", f.makeBucket)
	mux.HandleFunc("PATCH /api/v2/buckets/{id}", f.changeBucket)
	mux.HandleFunc("GET /api/v2/authorizations", f.listAuths)
	mux.HandleFunc("POST /api/v2/authorizations", f.makeAuth)
	mux.HandleFunc("DELETE /api/v2/authorizations/{id}", f.endAuth)
	mux.HandleFunc("GET /api/v2/tasks", f.listTasks)
	mux.HandleFunc("POST /api/v2/tasks", f.makeTask)
	mux.HandleFunc("PATCH /api/v2/tasks/{id}", f.changeTask)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.record(t, r)
		if !f.knows(r.Header.Get("Authorization")) {
			answer(w, http.StatusUnauthorized, map[string]string{"code": "unauthorized", "message": "unauthorized access"})
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *influx2) record(t *testing.T, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	fmt.Fprintf(&f.asked, "%s %s\nAuthorization: %s\n", r.Method, r.URL, r.Header.Get("Authorization"))
	if len(body) > 0 {
		var indented bytes.Buffer
		if err := json.Indent(&indented, body, "", "  "); err != nil {
			t.Error(err)
		}
		// A script is read line by line.
		fmt.Fprintln(&f.asked, strings.NewReplacer(`\n`, "\n    ", `\t`, "  ", `\u003c`, "<", `\u003e`, ">").Replace(indented.String()))
	}
	fmt.Fprintln(&f.asked)
}

func (f *influx2) knows(header string) bool {
	word, found := strings.CutPrefix(header, "Token ")
	if !found || word == operator {
		return found
	}
	for _, token := range f.tokens {
		if token == word {
			return true
		}
	}
	return false
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func missing(w http.ResponseWriter, what string) {
	answer(w, http.StatusNotFound, map[string]string{"code": "not found", "message": what + " not found"})
}

func read[T any](r *http.Request) (body T) {
	_ = json.NewDecoder(r.Body).Decode(&body)
	return body
}

func (f *influx2) listOrgs(w http.ResponseWriter, r *http.Request) {
	name, id := "padma", "0a000000000000aa"
	if r.URL.Query().Get("org") != name {
		missing(w, "organization name "+r.URL.Query().Get("org"))
		return
	}
	answer(w, http.StatusOK, domain.Organizations{Orgs: &[]domain.Organization{{Id: &id, Name: name}}})
}

func (f *influx2) listBuckets(w http.ResponseWriter, r *http.Request) {
	found := []domain.Bucket{}
	for _, b := range f.buckets {
		if b.Name == r.URL.Query().Get("name") {
			found = append(found, b)
		}
	}
	answer(w, http.StatusOK, domain.Buckets{Buckets: &found})
}

func (f *influx2) makeBucket(w http.ResponseWriter, r *http.Request) {
	body, id := read[domain.PostBucketRequest](r), fmt.Sprintf("0b0000000000000%d", len(f.buckets))
	made := domain.Bucket{Id: &id, Name: body.Name, OrgID: &body.OrgID, Description: body.Description, RetentionRules: *body.RetentionRules}
	f.buckets = append(f.buckets, made)
	answer(w, http.StatusCreated, made)
}

func (f *influx2) changeBucket(w http.ResponseWriter, r *http.Request) {
	body := read[domain.PatchBucketRequest](r)
	for i, b := range f.buckets {
		if *b.Id == r.PathValue("id") {
			f.buckets[i].RetentionRules[0].EverySeconds = (*body.RetentionRules)[0].EverySeconds
			answer(w, http.StatusOK, f.buckets[i])
			return
		}
	}
	missing(w, "bucket")
}

func (f *influx2) listAuths(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, domain.Authorizations{Authorizations: &f.auths})
}

func (f *influx2) makeAuth(w http.ResponseWriter, r *http.Request) {
	body := read[domain.AuthorizationPostRequest](r)
	id := fmt.Sprintf("0c0000000000000%d", len(f.tokens))
	token := "token-" + id
	made := domain.Authorization{AuthorizationUpdateRequest: body.AuthorizationUpdateRequest, Id: &id, OrgID: body.OrgID, Permissions: body.Permissions}
	f.tokens[id] = token
	if !f.hashed {
		made.Token = &token
	}
	f.auths = append(f.auths, made)
	made.Token = &token
	answer(w, http.StatusCreated, made)
}

func (f *influx2) endAuth(w http.ResponseWriter, r *http.Request) {
	for i, a := range f.auths {
		if *a.Id == r.PathValue("id") {
			f.auths = append(f.auths[:i], f.auths[i+1:]...)
			delete(f.tokens, *a.Id)
			w.WriteHeader(http.StatusNoContent)
			return
		}
	}
	missing(w, "authorization")
}

func (f *influx2) listTasks(w http.ResponseWriter, r *http.Request) {
	found := []domain.Task{}
	for _, t := range f.tasks {
		if t.Name == r.URL.Query().Get("name") {
			found = append(found, t)
		}
	}
	answer(w, http.StatusOK, domain.Tasks{Tasks: &found})
}

func (f *influx2) makeTask(w http.ResponseWriter, r *http.Request) {
	body := read[domain.TaskCreateRequest](r)
	_, name, _ := strings.Cut(body.Flux, `option task = {name: "`)
	name, _, found := strings.Cut(name, `"`)
	if !found {
		answer(w, http.StatusBadRequest, map[string]string{"code": "invalid", "message": "no task name"})
		return
	}
	made := domain.Task{Id: fmt.Sprintf("0d0000000000000%d", len(f.tasks)), Name: name, Flux: body.Flux, OrgID: *body.OrgID, Status: body.Status}
	f.tasks = append(f.tasks, made)
	answer(w, http.StatusCreated, made)
}

func (f *influx2) changeTask(w http.ResponseWriter, r *http.Request) {
	body := read[domain.TaskUpdateRequest](r)
	for i, t := range f.tasks {
		if t.Id == r.PathValue("id") {
			f.tasks[i].Flux, f.tasks[i].Status = *body.Flux, body.Status
			answer(w, http.StatusOK, f.tasks[i])
			return
		}
	}
	missing(w, "task")
}
