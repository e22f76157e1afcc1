// INM0108: consistent hashing by what is the same for all calls of a process.
import type { Analyzer } from './analyzer.ts';
import { placeInService } from './place.ts';

export const hashKeys: Analyzer = (scene, findings) => {
  for (const service of Object.values(scene.config.services)) {
    const { name, loadBalancer } = service;
    const keys = loadBalancer.hash?.keys ?? [];
    if (keys.length === 0 || !keys.every((key) => 'source' in key)) continue;
    const message = `calls of this process to ${name} all go to one endpoint: they are hashed by its address alone`;
    findings.at('INM0108', placeInService(scene, service, 'loadBalancer'), message);
  }
};
