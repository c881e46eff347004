package kubernetes

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	strict "sigs.k8s.io/yaml"
)

// A cluster is an API server without anything that would run what it is given: it
// says what it takes and what it refuses.
type cluster struct {
	t      *testing.T
	server string
}

// freePort returns a port of 127.0.0.1 that nobody has.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// daemon runs a program until the test ends; its output goes to a file of the test.
func daemon(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(dir, filepath.Base(program)+".log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
		if text, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("%s ends with\n%s", program, text[max(0, len(text)-2000):])
		}
	})
}

// kubeToken is what the test is known by.
const kubeToken = "made-up-" + "token-of-the-test"

// newCluster starts etcd and the API server that the environment names.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	apiserver := os.Getenv("SPILLGATE_KUBE_APISERVER")
	if apiserver == "" {
		t.Skip("SPILLGATE_KUBE_APISERVER does not name a kube-apiserver; README.md says how to come by one")
	}
	for _, needed := range []string{"etcd", "kubectl"} {
		if _, err := exec.LookPath(needed); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signing := filepath.Join(dir, "sa.key")
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	tokens := filepath.Join(dir, "tokens")
	for name, content := range map[string]string{signing: string(text), tokens: kubeToken + ",test,1,system:masters\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	client, peer, port := freePort(t), freePort(t), freePort(t)
	daemon(t, dir, "etcd", "--data-dir", filepath.Join(dir, "etcd"), "--listen-client-urls", "http://127.0.0.1:"+client,
		"--advertise-client-urls", "http://127.0.0.1:"+client, "--listen-peer-urls", "http://127.0.0.1:"+peer,
		"--initial-advertise-peer-urls", "http://127.0.0.1:"+peer, "--initial-cluster", "default=http://127.0.0.1:"+peer, "--unsafe-no-fsync")
	daemon(t, dir, apiserver, "--etcd-servers", "http://127.0.0.1:"+client, "--bind-address", "127.0.0.1", "--secure-port", port,
		"--cert-dir", filepath.Join(dir, "certs"), "--token-auth-file", tokens, "--authorization-mode", "RBAC",
		"--service-cluster-ip-range", "10.0.0.0/24", "--service-account-issuer", "https://test.example",
		"--service-account-key-file", signing, "--service-account-signing-key-file", signing)
	c := &cluster{t, "https://127.0.0.1:" + port}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Second) {
		out, err := c.try("", "get", "--raw", "/readyz")
		if err == nil {
			return c
		}
		if time.Now().After(deadline) {
			t.Fatalf("the API server is not ready: %s", out)
		}
	}
}

// try runs kubectl and returns all that it says.
func (c *cluster) try(stdin string, args ...string) (string, error) {
	cmd := exec.Command("kubectl", append([]string{"--server", c.server, "--insecure-skip-tls-verify", "--token", kubeToken, "--kubeconfig", os.DevNull}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// kubectl runs kubectl, which must succeed and warn of nothing but what the API
// server itself fills in: that a headless service has an affinity, its default.
func (c *cluster) kubectl(stdin string, args ...string) string {
	c.t.Helper()
	out, err := c.try(stdin, args...)
	if err != nil || strings.Contains(strings.ReplaceAll(out, "Warning: spec.SessionAffinity is ignored for headless services", ""), "Warning") {
		c.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// TestAPIServer has a real API server take all that is here: validation,
// defaults, admission. Pods are made of the templates by hand, since nothing here
// would do so: the namespace's Pod Security is restricted, and refuses what is not.
func TestAPIServer(t *testing.T) {
	c := newCluster(t)
	c.kubectl("", "apply", "-f", "namespace.yaml")
	c.kubectl("", "-n", "spillgate", "create", "serviceaccount", "default") // a controller's work
	out := c.kubectl("", "apply", "-k", ".")
	for _, kind := range []string{"statefulset.apps/nats", "statefulset.apps/spillgate-server", "networkpolicy.networking.k8s.io/nothing", "poddisruptionbudget.policy/nats", "service/spillgate-server"} {
		if !strings.Contains(out, kind) {
			t.Errorf("not applied: %s\n%s", kind, out)
		}
	}
	if again := c.kubectl("", "apply", "-k", "."); strings.Contains(again, "created") {
		t.Errorf("applied again, something is new:\n%s", again)
	}
	c.kubectl("", "-n", "spillgate", "create", "-f", "history-job.yaml")
	templates := map[string]corev1.PodTemplateSpec{}
	for _, v := range manifests(t) {
		switch m := v.(type) {
		case *appsv1.StatefulSet:
			templates[m.Name] = m.Spec.Template
		case *batchv1.Job:
			templates["history"] = m.Spec.Template
		}
	}
	if len(templates) != 3 {
		t.Fatalf("%d templates of pods", len(templates))
	}
	for name, template := range templates {
		p := corev1.Pod{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Name: name, Labels: template.Labels}, Spec: template.Spec,
		}
		for i := range p.Spec.Containers { // as the StatefulSet does
			for _, m := range p.Spec.Containers[i].VolumeMounts {
				if m.Name == "data" {
					p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: "data", VolumeSource: corev1.VolumeSource{
						PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data-" + name},
					}})
				}
			}
		}
		text, err := strict.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		c.kubectl(string(text), "-n", "spillgate", "create", "-f", "-")
		// As root it is refused: so are the others looked at.
		root, yes := int64(0), true
		p.Name, p.Spec.SecurityContext.RunAsUser, p.Spec.Containers[0].SecurityContext.AllowPrivilegeEscalation = name+"-root", &root, &yes
		if text, err = strict.Marshal(p); err != nil {
			t.Fatal(err)
		}
		if out, err := c.try(string(text), "-n", "spillgate", "create", "-f", "-"); err == nil || !strings.Contains(out, "violates PodSecurity") {
			t.Errorf("a pod of %s as root was taken: %v %s", name, err, out)
		}
	}
	if got := c.kubectl("", "-n", "spillgate", "get", "statefulset,networkpolicy,pdb,service,configmap,pod", "-o", "name"); strings.Count(got, "\n") < 13 {
		t.Errorf("what is there:\n%s", fmt.Sprint(got))
	}
}
