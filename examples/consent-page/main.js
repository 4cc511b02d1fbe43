import { JsonRpcProvider } from "ethers";
import { createConsents } from "@carepact/sdk/consents";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { createPatients } from "@carepact/sdk/patients";
import { createPasskey, passkeySigner } from "@carepact/sdk/signers";

const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

/** A patient's page: it has a passkey, no wallet and no ether. Whoever answers at `relayer` sends what it signs. */
async function consent() {
  const { deployment, node, relayer, clinic } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  const passkey = await createPasskey({ application: "Example records", user: "A patient" });
  const signer = passkeySigner(passkey, { verifier: deployment.webAuthnVerifier });
  const connection = { runner: new JsonRpcProvider(node), deployment };
  const patients = createPatients(connection, { signer });
  const consents = createConsents(connection, { signer });
  const relay = async (action) => {
    const body = JSON.stringify(await action.populate());
    const answer = await fetch(relayer, { method: "POST", body });
    if (!answer.ok) throw new Error(await answer.text());
  };

  const keys = await generateSealingKeys();
  const register = patients.register({ hpkeKey: keys.publicKey });
  const { patient } = await register.simulate();
  await relay(register);

  const scope = { purposes: ["TREAT"], categories: ["Observation"] };
  const expiry = new Date(Date.now() + WEEK_MS);
  const grant = await consents.grant({ patient, grantee: clinic, expiry, ...scope });
  const request = { patient, organization: clinic, confidentiality: "N", ...scope };
  const before = await consents.check({ ...request, grant });
  await relay(consents.revoke(grant));
  const after = await consents.check({ ...request, grant });

  return { patient, signer: signer.signer, permitted: before.permitted, refused: after.reason };
}

const outcome = document.querySelector("#outcome");
consent().then(
  (result) => (outcome.textContent = JSON.stringify(result)),
  (thrown) => (outcome.textContent = JSON.stringify({ error: String(thrown) })),
);
