package kubernetes

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	strict "sigs.k8s.io/yaml"
)

// An engine runs pods by podman, made of the StatefulSets' templates: their images
// replaced, their volumes as folders of the test with the owners and modes that
// Kubernetes gives them, and their names in hosts, since nothing here serves names.
type engine struct {
	t       *testing.T
	dir     string
	images  map[string]string
	gateway string // this machine, as pods see it
	address map[string]string
	hosts   []corev1.HostAlias
}

const networkName = "spillgate-test"

func newEngine(t *testing.T) *engine {
	t.Helper()
	e := &engine{t: t, dir: t.TempDir(), address: map[string]string{}}
	e.images = map[string]string{"spillgate-server": os.Getenv("SPILLGATE_IMAGE"), "nats": os.Getenv("SPILLGATE_NATS_IMAGE")}
	if e.images["spillgate-server"] == "" || e.images["nats"] == "" {
		t.Skip("SPILLGATE_IMAGE and SPILLGATE_NATS_IMAGE do not name images of podman; README.md says how to come by them")
	}
	e.podman("network", "create", "--subnet", "10.89.77.0/24", "--gateway", "10.89.77.1", networkName)
	t.Cleanup(func() { _ = exec.Command("podman", "network", "rm", "-f", networkName).Run() })
	e.gateway = "10.89.77.1"
	for n, name := range []string{"nats-0", "nats-1", "nats-2", "spillgate-server-0"} {
		e.address[name] = fmt.Sprintf("10.89.77.%d", 10+n)
		workload := name[:len(name)-2]
		e.hosts = append(e.hosts, corev1.HostAlias{IP: e.address[name], Hostnames: []string{name + "." + workload}})
	}
	return e
}

func (e *engine) podman(args ...string) string {
	e.t.Helper()
	out, err := exec.Command("podman", args...).CombinedOutput()
	if err != nil {
		e.t.Fatalf("podman %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// volume makes a folder with files, as a projected volume of the pod's group has them.
func (e *engine) volume(name string, group int64, files map[string]string) string {
	e.t.Helper()
	dir := filepath.Join(e.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		e.t.Fatal(err)
	}
	for file, text := range files {
		path := filepath.Join(dir, file)
		if err := os.WriteFile(path, []byte(text), 0o440); err != nil {
			e.t.Fatal(err)
		}
		if err := os.Chown(path, 0, int(group)); err != nil {
			e.t.Fatal(err)
		}
	}
	if err := os.Chown(dir, 0, int(group)); err != nil {
		e.t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o2775); err != nil {
		e.t.Fatal(err)
	}
	return dir
}

// run makes a pod of the template and starts it. files are those of its ConfigMaps
// and Secrets, by volume.
func (e *engine) run(name string, template *corev1.PodTemplateSpec, files map[string]map[string]string) {
	e.t.Helper()
	p := corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: *template.Spec.DeepCopy()}
	p.Spec.Hostname, p.Spec.HostAliases, p.Spec.TopologySpreadConstraints = name, e.hosts, nil
	group := *p.Spec.SecurityContext.RunAsGroup
	p.Spec.Volumes = nil
	c := &p.Spec.Containers[0]
	c.Image = e.images[name[:len(name)-2]]
	// Podman asks with a curl of the container's; the probes are asked from outside.
	c.StartupProbe, c.LivenessProbe, c.ReadinessProbe = nil, nil, nil
	c.Ports = nil // podman would open them on this machine
	c.Resources = corev1.ResourceRequirements{}
	for _, m := range c.VolumeMounts {
		kind := corev1.HostPathDirectory
		p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: m.Name, VolumeSource: corev1.VolumeSource{
			HostPath: &corev1.HostPathVolumeSource{Path: e.volume(name+"-"+m.Name, group, files[m.Name]), Type: &kind},
		}})
	}
	text, err := strict.Marshal(p)
	if err != nil {
		e.t.Fatal(err)
	}
	file := filepath.Join(e.dir, name+".yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() {
		if e.t.Failed() {
			out, _ := exec.Command("podman", "logs", "--tail", "30", name+"-"+c.Name).CombinedOutput()
			e.t.Logf("%s says\n%s", name, out)
		}
		_ = exec.Command("podman", "pod", "rm", "-f", "-t", "3", name).Run()
	})
	e.podman("kube", "play", "--network", networkName, "--ip", e.address[name], file)
}

// probe asks a probe of the pod until it is answered with 200.
func (e *engine) probe(name string, c *corev1.Container, what string, p *corev1.Probe) {
	e.t.Helper()
	port := ""
	for _, have := range c.Ports {
		if have.Name == p.HTTPGet.Port.StrVal {
			port = fmt.Sprint(have.ContainerPort)
		}
	}
	url := "http://" + net.JoinHostPort(e.address[name], port) + p.HTTPGet.Path
	last := ""
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		answer, err := http.Get(url)
		if err != nil {
			last = err.Error()
			continue
		}
		_ = answer.Body.Close()
		if last = answer.Status; answer.StatusCode == http.StatusOK {
			return
		}
	}
	e.t.Fatalf("%s: the %s probe %s: %s", name, what, url, last)
}

// natsAuth makes what nsc would: an operator, an account with JetStream, a system
// account and a user, as the servers' configuration and the client's credentials.
func natsAuth(t *testing.T) (conf, credentials string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	pair := func(k nkeys.KeyPair, err error) (nkeys.KeyPair, string) {
		t.Helper()
		must(err)
		public, err := k.PublicKey()
		must(err)
		return k, public
	}
	operator, operatorID := pair(nkeys.CreateOperator())
	_, systemID := pair(nkeys.CreateAccount())
	account, accountID := pair(nkeys.CreateAccount())
	user, userID := pair(nkeys.CreateUser())
	claims := jwt.NewOperatorClaims(operatorID)
	claims.SystemAccount = systemID
	operatorJWT, err := claims.Encode(operator)
	must(err)
	system, err := jwt.NewAccountClaims(systemID).Encode(operator)
	must(err)
	a := jwt.NewAccountClaims(accountID)
	a.Limits.JetStreamLimits = jwt.JetStreamLimits{DiskStorage: -1, MemoryStorage: -1, Streams: -1, Consumer: -1}
	accountJWT, err := a.Encode(operator)
	must(err)
	userJWT, err := jwt.NewUserClaims(userID).Encode(account)
	must(err)
	seed, err := user.Seed()
	must(err)
	text, err := jwt.FormatUserConfig(userJWT, seed)
	must(err)
	return fmt.Sprintf("operator: %s\nsystem_account: %s\nresolver: MEMORY\nresolver_preload: {\n  %s: %s\n  %s: %s\n}\n",
		operatorJWT, systemID, systemID, system, accountID, accountJWT), string(text)
}

// hub serves a repository over HTTP to pods, and returns its URL and its head.
func (e *engine) hub(repository, text string) (url, head string) {
	e.t.Helper()
	root := filepath.Join(e.dir, "hub")
	bare, dev := filepath.Join(root, repository+".git"), filepath.Join(e.dir, "dev")
	git := func(args ...string) string {
		e.t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@localhost"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			e.t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "--bare", bare)
	git("clone", "-q", bare, dev)
	if err := os.WriteFile(filepath.Join(dev, "main.tf"), []byte(text), 0o600); err != nil {
		e.t.Fatal(err)
	}
	git("-C", dev, "add", "-A")
	git("-C", dev, "commit", "-q", "-m", "one")
	git("-C", dev, "push", "-q", "origin", "HEAD:main")
	backend := filepath.Join(git("--exec-path"), "git-http-backend")
	l, err := net.Listen("tcp", e.gateway+":0")
	if err != nil {
		e.t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: &cgi.Handler{Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"}}}}
	s.Start()
	e.t.Cleanup(s.Close)
	return s.URL, git("-C", dev, "rev-parse", "HEAD")
}

// TestPods runs the pods of the manifests: three nodes of NATS and a server, with
// the configuration, users and read-only roots that stand there. A signed webhook
// becomes an incident.
func TestPods(t *testing.T) {
	e := newEngine(t)
	templates := map[string]*corev1.PodTemplateSpec{}
	for _, v := range manifests(t) {
		if s, ok := v.(*appsv1.StatefulSet); ok {
			templates[s.Name] = &s.Spec.Template
		}
	}
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	auth, credentials := natsAuth(t)
	nats := templates["nats"]
	for n := range 3 {
		e.run(fmt.Sprint("nats-", n), nats, map[string]map[string]string{"config": {"nats.conf": read("nats.conf")}, "auth": {"auth.conf": auth}})
	}
	// The bridge is there since the first pod.
	arn := "arn:aws:kms:eu-central-1:" + "471938265017:key/5f0c7d1e-93ab-4e26-8d74-b1c60fa00001"
	url, head := e.hub("acme/app", "key = \""+arn+"\"\n")
	config := strings.Replace(read("server.toml"), "https://github.com/", url+"/", 1)
	config = strings.Replace(config, "[mirror]\n", "[mirror]\nprotocols = \"http\"\n", 1)
	secret, token := "made-up-"+"webhook-secret", "made-up-"+"token-of-oncall"
	for n := range 3 {
		e.probe(fmt.Sprint("nats-", n), &nats.Spec.Containers[0], "startup", nats.Spec.Containers[0].StartupProbe)
		e.probe(fmt.Sprint("nats-", n), &nats.Spec.Containers[0], "readiness", nats.Spec.Containers[0].ReadinessProbe)
	}
	server := templates["spillgate-server"]
	e.run("spillgate-server-0", server, map[string]map[string]string{
		"config": {"server.toml": config}, "nats": {"server.creds": credentials},
		"secrets": {"webhook-secret": secret, "github-token": "made-up-token", "oncall-token": token},
	})
	c := &server.Spec.Containers[0]
	e.probe("spillgate-server-0", c, "startup", c.StartupProbe)
	e.probe("spillgate-server-0", c, "liveness", c.LivenessProbe)
	e.probe("spillgate-server-0", c, "readiness", c.ReadinessProbe)
	e.contained("spillgate-server-0-server", "65532")

	base := "http://" + net.JoinHostPort(e.address["spillgate-server-0"], fmt.Sprint(c.Ports[0].ContainerPort))
	if code := deliver(t, base, head, secret); code != http.StatusAccepted {
		t.Fatalf("the webhook was answered with %d", code)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		out := e.podman("exec", "-e", "SPILLGATE_SERVER_TOKEN="+token, "spillgate-server-0-server", "spillgate-server", "incident", "list")
		if strings.Contains(out, "acme/app main.tf:1") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no incident within a minute: %s", out)
		}
	}
}

// contained holds who the container runs as, and that its root cannot be written to.
func (e *engine) contained(container, user string) {
	e.t.Helper()
	var got []struct {
		HostConfig struct {
			ReadonlyRootfs bool
			SecurityOpt    []string
			CapDrop        []string
		}
		Config struct{ User string }
	}
	if err := json.Unmarshal([]byte(e.podman("inspect", container)), &got); err != nil || len(got) != 1 {
		e.t.Fatalf("podman inspect: %v", err)
	}
	if !got[0].HostConfig.ReadonlyRootfs || !strings.HasPrefix(got[0].Config.User, user) {
		e.t.Errorf("it runs as %q, its root is read-only: %v", got[0].Config.User, got[0].HostConfig.ReadonlyRootfs)
	}
	status := e.podman("exec", container, "cat", "/proc/1/status")
	for _, want := range []string{"NoNewPrivs:\t1", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "Uid:\t" + user} {
		if !strings.Contains(status, want) {
			e.t.Errorf("its first process does not say %q", want)
		}
	}
}

// deliver posts a signed push of the repository's first commit.
func deliver(t *testing.T, base, head, secret string) int {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"ref": "refs/heads/main", "before": strings.Repeat("0", 40), "after": head, "repository": map[string]string{"full_name": "acme/app"},
	})
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/webhooks/github", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-GitHub-Event", "push")
	r.Header.Set("X-GitHub-Delivery", "d1")
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}
