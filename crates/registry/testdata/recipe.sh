#!/bin/sh
# A CA, a leaf that it signed, and the certificate of another "CA" of the same name whose key the leaf's signature fits too.
# Nobody has the private half of that key. Run in an empty directory.
set -e
openssl ecparam -name prime256v1 -genkey -noout -out ca.key
openssl req -x509 -new -key ca.key -subj "/CN=Factory" -days 36500 -set_serial 1 -out ca.pem -addext "basicConstraints=critical,CA:TRUE" 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout -out leaf.key
openssl req -new -key leaf.key -subj "/CN=device" -out leaf.csr
openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -set_serial 2 -days 36500 -sha256 -out leaf.pem 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout -out root.key
openssl req -x509 -new -key root.key -subj "/CN=Elsewhere" -days 36500 -set_serial 3 -out root.pem 2>/dev/null
python3 - <<"PYTHON"
# A second public key that the leaf's ECDSA signature fits: Q = (sR - eG)/r for the other R with the same x.
import subprocess,hashlib,base64
p=0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff
n=0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
b=0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b
G=(0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)
def add(P,Q):
    if P is None:return Q
    if Q is None:return P
    if P[0]==Q[0]:
        if (P[1]+Q[1])%p==0:return None
        l=(3*P[0]**2-3)*pow(2*P[1],-1,p)%p
    else:l=(Q[1]-P[1])*pow(Q[0]-P[0],-1,p)%p
    x=(l*l-P[0]-Q[0])%p
    return x,(l*(P[0]-x)-P[1])%p
def mul(k,P):
    R=None
    while k:
        if k&1:R=add(R,P)
        P=add(P,P);k>>=1
    return R
def der(f):return base64.b64decode(''.join(l for l in open(f) if not l.startswith('-')))
def el(d):
    l=d[1];h=2
    if l&0x80:
        k=l&0x7f;l=int.from_bytes(d[2:2+k],'big');h=2+k
    return d[:h+l],d[h:h+l],d[h+l:]
_,c,_=el(der('leaf.pem'))
tbs,_,c=el(c);_,_,c=el(c);_,sig,_=el(c)
_,s2,_=el(sig[1:]);_,r,s2=el(s2);_,s,_=el(s2)
r=int.from_bytes(r,'big');s=int.from_bytes(s,'big');e=int.from_bytes(hashlib.sha256(tbs).digest(),'big')
y=pow(r**3-3*r+b,(p+1)//4,p)
true=subprocess.run("openssl pkey -in ca.key -pubout -outform DER",shell=True,capture_output=True).stdout
for Y in (y,p-y):
    Q=mul(pow(r,-1,n),add(mul(s,(r,Y)),mul((-e)%n,G)))
    spki=true[:-64]+Q[0].to_bytes(32,'big')+Q[1].to_bytes(32,'big')
    if spki!=true:
        open('q.pem','w').write('-----BEGIN PUBLIC KEY-----\n'+base64.encodebytes(spki).decode()+'-----END PUBLIC KEY-----\n')
    else: print('true key found')
PYTHON
printf 'basicConstraints=critical,CA:TRUE\n' > ext
openssl req -new -key root.key -subj "/CN=Factory" -out f.csr
openssl x509 -req -in f.csr -CA root.pem -CAkey root.key -force_pubkey q.pem -set_serial 4 -days 36500 -extfile ext -out fitting_ca.pem 2>/dev/null
openssl verify -partial_chain -CAfile fitting_ca.pem leaf.pem
openssl verify -CAfile ca.pem leaf.pem
